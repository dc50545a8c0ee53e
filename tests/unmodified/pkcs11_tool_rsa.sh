#!/usr/bin/env bash
# OpenSC's pkcs11-tool --test --login over a token with nothing but an RSA key that only signs. pkcs11-tool tests RSA keys
# best, each in another way by its place in the list; and with a key that decrypts it asks SoftHSM for an OAEP form that
# SoftHSM does not know, and gives up on the bare module too. Only p11tool makes such a key.
# shellcheck source=tests/unmodified/pkcs11_tool_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/pkcs11_tool_lib.sh"
need pkcs11-tool p11tool
make_token
token_make "$scratch" edge || fail "no token"
GNUTLS_PIN=$token_pin quietly "$scratch/log/rsa.log" p11tool --provider "$vendor" --login --generate-privkey=rsa --bits 2048 \
  --mark-sign --label rsa-key --id 02 --outfile /dev/null pkcs11:token=edge || fail "no RSA key"
same_on_both_sides
grep -q 'RSA-X-509: OK' "$scratch/expected" || fail "pkcs11-tool --test did not sign"
for function in C_FindObjectsInit C_SignInit C_Sign; do same_when_lost_before "$function"; done
