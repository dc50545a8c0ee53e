#!/usr/bin/env bash
# Tokens whose PIN is typed at their own reader (CKF_PROTECTED_AUTHENTICATION_PATH): nobody is asked here.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
passes keygen 'pkcs11:token=edge;object=k'
unset HSMTLS_PIN_SOURCE
key='pkcs11:token=edge;object=k'

printf '%s\n' "-- somebody types it"
export HSMTLS_CHAOS="pin-pad pin=$token_pin"
passes list pkcs11:token=edge
prints '^private key  k '
[[ ! -s $scratch/err ]] || fail "list speaks of a PIN that is missing"
passes list pkcs11:token=edge --json
json_says "d['logged_in'] is True"
passes csr "$key" --subject CN=k --out "$scratch/k.csr"
hsmtls doctor "$key"
prints "pin-source .*at the token's own reader"

printf '%s\n' "-- nobody types it"
export HSMTLS_CHAOS=pin-pad
refuses 1 'cancelled at the reader, or nobody typed the PIN there' csr "$key" --subject CN=k --out "$scratch/k.csr"
calls_are C_Login 1
json_refuses 1 TOKEN_ERROR csr "$key" --subject CN=k --out "$scratch/k.csr"
no_pin_was_shown
