# What the tests with pkcs11-tool --test share.
# shellcheck shell=bash
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

_check() { on "$1" "${@:2}" pkcs11-tool --module "$(module_of "$1")" --token-label edge --login --pin "$token_pin" --test; }

# same_on_both_sides: all checks pass on the bare module, and come out the same through ours. $scratch/expected has them.
same_on_both_sides() {
  _check bare passes "pkcs11-tool --test (bare)"
  cp "$output" "$scratch/expected"
  grep -q '^No errors' "$output" || fail "pkcs11-tool --test does not pass on the bare module"
  _check front passes "pkcs11-tool --test (front)"
  diff "$scratch/expected" "$output" || fail "pkcs11-tool --test comes to something else through our module"
}

# same_when_lost_before FUNCTION: the same once more through ours, where the bare module fails.
same_when_lost_before() {
  drop_at "$1"
  _check bare refuses "pkcs11-tool --test, sessions lost before $1 (bare)" CKR_SESSION_HANDLE_INVALID
  _check front passes "pkcs11-tool --test, sessions lost before $1 (front)"
  diff "$scratch/expected" "$output" || fail "pkcs11-tool --test comes to something else after a reset"
}
