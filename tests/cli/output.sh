#!/usr/bin/env bash
# stdout and stderr that cannot be written: nothing looks like success, and nothing crashes.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
[[ -w /dev/full ]] || skip "there is no /dev/full"

# full PATTERN ARGUMENT…: into a full disk it ends with 1 and says on stderr what matches PATTERN, once.
full() {
  local pattern=$1
  shift
  status=0
  setsid --wait "$HSMTLS_TEST_COMMAND" "$@" >/dev/full 2>"$scratch/err" || status=$?
  cat "$scratch/err" >>"$scratch/all"
  printf '%s\n' "hsmtls $* >/dev/full -> $status"
  ((status == 1)) || fail "was to end with 1, not $status"
  notes "$pattern"
  (($(grep -cE -- "$pattern" "$scratch/err") == 1)) || { cat "$scratch/err"; fail "it says so twice"; }
}
no_room='^hsmtls: cannot write to stdout: No space left'

printf '%s\n' "-- a full disk"
full "$no_room" tokens
full "$no_room" --help
full "$no_room" --version
full "$no_room" tokens --json
full "$no_room" doctor 'pkcs11:token=edge;object=k' --json
full "$no_room" list pkcs11:token=egde --json
notes "^hsmtls: .*no token is labelled 'egde'"

printf '%s\n' "-- nor can stderr be written"
unsayable() {
  status=0
  setsid --wait "$HSMTLS_TEST_COMMAND" "$@" >/dev/full 2>/dev/full || status=$?
  ((status == 1)) || fail "was to end with 1, not $status: hsmtls $*"
}
unsayable list pkcs11:token=egde
unsayable list pkcs11:token=egde --json
unsayable tokens

printf '%s\n' "-- a pipe that nobody reads any more"
# As in `hsmtls … | head`: without a word.
unread() {
  "$python" -c 'import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
ended = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, start_new_session=True)
print(ended.returncode, ended.stderr.decode(), end="")' "$HSMTLS_TEST_COMMAND" "$@" >"$scratch/out"
  [[ $(cat "$scratch/out") == '1 ' ]] || { cat "$scratch/out"; fail "was to end with 1, and quietly: hsmtls $*"; }
}
unread tokens
unread tokens --json
unread --help
unread doctor 'pkcs11:token=edge;object=k'
no_pin_was_shown
