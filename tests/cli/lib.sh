# What the tests of the command hsmtls share. Each one has a SoftHSM token of its own, reached through the chaos module,
# which counts the PKCS#11 calls.
#
# ctest calls them with HSMTLS_TEST_COMMAND (hsmtls), HSMTLS_TEST_CHAOS (the chaos module), HSMTLS_TEST_PROVIDERS (the
# folder of provider modules), HSMTLS_TEST_TWO_ADDRESSES (what is preloaded for a host that has two) and
# HSMTLS_TEST_SCRATCH. Exit status: 0 passed, 77 skipped, anything else failed.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120

set -euo pipefail
HSMTLS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
here=$HSMTLS_ROOT/tests/cli
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
trap children_end EXIT
trap 'exit 130' INT TERM
unset NO_COLOR OPENSSL_MODULES CREDENTIALS_DIRECTORY

name=${0##*/}
scratch=$HSMTLS_TEST_SCRATCH/cli/${name%.sh}
rm -rf "$scratch"
mkdir -p "$scratch"
python=/usr/bin/python3
# Such as are in nothing else that is printed.
token_pin='Zebra-4711-pin'
token_so_pin='Okapi-0815-so'
export token_pin token_so_pin

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

for needed in softhsm2-util openssl setsid "$python"; do
  command -v "$needed" >/dev/null || skip "$needed is not installed"
done
vendor=$(softhsm_module) || skip "SoftHSM's module is not installed"
export HSMTLS_MODULE=$HSMTLS_TEST_CHAOS HSMTLS_CHAOS_MODULE=$vendor HSMTLS_CHAOS_COUNTS=$scratch/counts

# make_token: a fresh token "edge", empty, in $scratch; its PIN is in $scratch/pin, which HSMTLS_PIN_SOURCE names.
make_token() {
  token_make "$scratch" edge || fail "no token"
  export HSMTLS_PIN_SOURCE=file:$scratch/pin
}

# hsmtls ARGUMENT…: runs it without a terminal; $status, and its output in $scratch/out and $scratch/err. Never fails.
hsmtls() {
  status=0
  rm -f "$HSMTLS_CHAOS_COUNTS"
  setsid --wait "$HSMTLS_TEST_COMMAND" "$@" </dev/null >"$scratch/out" 2>"$scratch/err" || status=$?
  cat "$scratch/out" "$scratch/err" >>"$scratch/all"
  printf '%s\n' "hsmtls $* -> $status"
}

# _show: what it said.
_show() { sed 's/^/    /' "$scratch/out" "$scratch/err"; }

# passes ARGUMENT…: it succeeds.
passes() {
  hsmtls "$@"
  ((status == 0)) || { _show; fail "was to succeed: hsmtls $*"; }
}

# refuses STATUS PATTERN ARGUMENT…: it ends with STATUS, says nothing on stdout, and on stderr what matches PATTERN.
refuses() {
  local wanted=$1 pattern=$2
  shift 2
  hsmtls "$@"
  ((status == wanted)) || { _show; fail "was to end with $wanted, not $status: hsmtls $*"; }
  [[ ! -s $scratch/out ]] || { _show; fail "was to say nothing on stdout: hsmtls $*"; }
  grep -qE -- "$pattern" "$scratch/err" || { _show; fail "was to say: $pattern"; }
  printf '    %s\n' "$(head -n 1 "$scratch/err")"
}

# prints PATTERN: the last run said so on stdout.
prints() { grep -qE -- "$1" "$scratch/out" || { _show; fail "was to print: $1"; }; }

# notes PATTERN: the last run said so on stderr.
notes() { grep -qE -- "$1" "$scratch/err" || { _show; fail "was to note: $1"; }; }

# json_says EXPRESSION: stdout of the last run is JSON `d` of which the Python expression is true; stderr is empty.
json_says() {
  [[ ! -s $scratch/err ]] || { _show; fail "with --json nothing is said on stderr"; }
  "$python" -c 'import json, sys
d = json.load(open(sys.argv[1], encoding="utf-8"))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$scratch/out" "$1" || { _show; fail "of the JSON is not true: $1"; }
}

# json_refuses STATUS NAME ARGUMENT…: with --json it ends with STATUS and an error of that name.
json_refuses() {
  local wanted=$1 error=$2
  shift 2
  hsmtls "$@" --json
  ((status == wanted)) || { _show; fail "was to end with $wanted, not $status: hsmtls $* --json"; }
  json_says "d['error']['name'] == '$error' and d['error']['message'] and d['error']['code'] > 0"
}

# calls FUNCTION: prints how often the last run called it.
calls() { sed -n "s/^$1 \([0-9]*\)\$/\1/p" "$HSMTLS_CHAOS_COUNTS" 2>/dev/null | grep . || printf '0\n'; }

# calls_are FUNCTION NUMBER: in the last run.
calls_are() { [[ $(calls "$1") == "$2" ]] || fail "$1 was called $(calls "$1") times, not $2"; }

# make_pki: $scratch/pki with a CA and a server certificate.
make_pki() {
  pki=$scratch/pki
  { pki_make_ca "$pki" && pki_make_server "$pki"; } || fail "no certificates"
}

# make_device OBJECT [ID]: a key in the token, and its certificate from the CA in $pki/OBJECT.pem and in the token.
make_device() {
  passes keygen "pkcs11:token=edge;object=$1" "${@:2}"
  passes csr "pkcs11:token=edge;object=$1" --subject "CN=$1,O=hsmtls test" --out "$pki/$1.csr"
  _pki_sign "$pki" "$1" keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth || fail "the CA does not sign"
  passes import "pkcs11:token=edge;object=$1" --certificate "$pki/$1.pem"
}

# start_tls_server NAME OPTION…: an OpenSSL server on a free port that demands a client certificate; sets `port`.
start_tls_server() { start_plain_server "$1" -Verify 1 -verify_return_error -CAfile "$pki/ca.pem" "${@:2}"; }

# start_plain_server NAME OPTION…: one that asks for no certificate; sets `port`.
start_plain_server() {
  local server=$1
  shift
  child_start "$server" "$scratch" env -u HSMTLS_MODULE openssl s_server -accept 127.0.0.1:0 -cert "$pki/server.pem" \
    -key "$pki/server.key" "$@"
  wait_until 30 grep -q '^ACCEPT .*:[0-9]' "$scratch/$server.out" || { cat "$scratch/$server.err"; fail "openssl s_server does not start"; }
  port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$scratch/$server.out" | head -n 1)
}

# start_odd_server BEHAVIOUR: a server that behaves so (odd_server.py); sets `port`.
start_odd_server() {
  child_start "$1" "$scratch" "$python" "$here/odd_server.py" "$1" "$pki/server.pem" "$pki/server.key" "$pki/ca.pem"
  child_line "$1" 30 || { cat "$scratch/$1.err"; fail "the server does not start"; }
  port=$line
}

# no_pin_was_shown: nothing that hsmtls printed in this test holds one of the PINs.
no_pin_was_shown() {
  local pin
  for pin in "$token_pin" "$token_so_pin" "$@"; do
    ! grep -qF -- "$pin" "$scratch/all" || fail "a PIN is in the output"
  done
}
