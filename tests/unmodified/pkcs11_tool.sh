#!/usr/bin/env bash
# OpenSC's pkcs11-tool --test --login: all its checks come out as on the bare module; also when the sessions are lost
# under it.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need pkcs11-tool
make_token
# With p11tool: a token with nothing but an RSA key that only signs. pkcs11-tool tests RSA keys best, each in another way
# by its place in the list; and with a key that decrypts it asks SoftHSM for an OAEP form that SoftHSM does not know, and
# gives up on the bare module too.
if command -v p11tool >/dev/null; then
  token_make "$scratch" edge || fail "no token"
  GNUTLS_PIN=$token_pin quietly "$scratch/log/rsa.log" p11tool --provider "$vendor" --login --generate-privkey=rsa --bits 2048 \
    --mark-sign --label rsa-key --id 02 --outfile /dev/null pkcs11:token=edge || fail "no RSA key"
fi

check() { on "$1" "${@:2}" pkcs11-tool --module "$(module_of "$1")" --token-label edge --login --pin "$token_pin" --test; }
check bare passes "pkcs11-tool --test (bare)"
cp "$output" "$scratch/expected"
grep -q '^No errors' "$output" || fail "pkcs11-tool --test does not pass on the bare module"
check front passes "pkcs11-tool --test (front)"
diff "$scratch/expected" "$output" || fail "pkcs11-tool --test comes to something else through our module"

for function in C_FindObjectsInit C_SignInit C_Sign; do
  [[ $function == C_FindObjectsInit ]] || grep -q 'RSA-X-509: OK' "$scratch/expected" || continue
  drop_at "$function"
  check bare refuses "pkcs11-tool --test, sessions lost before $function (bare)" CKR_SESSION_HANDLE_INVALID
  check front passes "pkcs11-tool --test, sessions lost before $function (front)"
  diff "$scratch/expected" "$output" || fail "pkcs11-tool --test comes to something else after a reset"
done
