# What tests with stock programs share: how they skip, fail, run a program and look at its end. Sourced with HSMTLS_ROOT
# set. ctest calls the tests with HSMTLS_TEST_SCRATCH; exit status: 0 passed, 77 skipped, anything else failed.
# shellcheck shell=bash disable=SC2034

# shellcheck source=scripts/lib/environment.sh
. "$HSMTLS_ROOT/scripts/lib/environment.sh"
# shellcheck source=scripts/lib/say.sh
. "$HSMTLS_ROOT/scripts/lib/say.sh"
# shellcheck source=scripts/lib/token.sh
. "$HSMTLS_ROOT/scripts/lib/token.sh"
# shellcheck source=scripts/lib/pki.sh
. "$HSMTLS_ROOT/scripts/lib/pki.sh"
# shellcheck source=scripts/lib/children.sh
. "$HSMTLS_ROOT/scripts/lib/children.sh"
# shellcheck source=scripts/lib/broker.sh
. "$HSMTLS_ROOT/scripts/lib/broker.sh"
trap children_end EXIT
trap 'exit 130' INT TERM

python=/usr/bin/python3

# test_scratch GROUP: sets `scratch`, this test's own folder.
test_scratch() {
  local name=${0##*/}
  scratch=$HSMTLS_TEST_SCRATCH/$1/${name%.sh}
}

# skip REASON: the test cannot run here.
skip() {
  printf 'skipped: %s\n' "$*"
  exit 77
}

# fail TEXT: the test failed.
fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}

# need COMMAND…: skips unless all of them are there.
need() {
  local command
  for command in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || skip "$command is not installed"
  done
}

# need_python MODULE PACKAGE
need_python() { "$python" -c "import $1" 2>/dev/null || skip "$2 is not installed"; }

# says NAME PATTERN: the child's next line matches the extended regular expression.
says() {
  child_line "$1" 30 || { cat "$scratch/$1.err"; fail "$1 said nothing"; }
  printf '%-8s %s\n' "$1" "$line"
  [[ $line =~ $2 ]] || { tail -n 20 "$scratch/$1.err"; fail "$1 was to say: $2"; }
}

# finished NAME: the child ends by itself with status 0.
finished() {
  local status=0
  child_finish "$1" || status=$?
  ((status == 0)) || { tail -n 20 "$scratch/$1.err"; fail "$1 ended with status $status"; }
}

# runs LOGFILE COMMAND…: runs to the end, returns its exit status; its output is in LOGFILE.
runs() {
  local log=$1
  shift
  timeout 60 "$@" >"$log" 2>&1 </dev/null
}

# passes TITLE COMMAND… / refuses TITLE PATTERN COMMAND…: the command ends with 0, or with another status of its own (no
# signal, no time-out) and a message that matches PATTERN. Its output is in $output.
output=''
_run_titled() {
  output=$scratch/${1//[^a-zA-Z0-9]/-}.out
  local status=0
  runs "$output" "${@:2}" || status=$?
  printf '%-60s exit %s\n' "$1" "$status"
  return "$status"
}
passes() { _run_titled "$@" || { tail -n 30 "$output"; fail "$1 was to succeed"; }; }
refuses() {
  local status=0
  _run_titled "$1" "${@:3}" || status=$?
  ((status != 0 && (status < 124 || status == 255))) || { tail -n 30 "$output"; fail "$1 was to be refused, not to end with $status"; }
  grep -qE "$2" "$output" || { tail -n 30 "$output"; fail "$1 was to say: $2"; }
  printf '    %s\n' "$(grep -E "$2" "$output" | head -n 1)"
}
