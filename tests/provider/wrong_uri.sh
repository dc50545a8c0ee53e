#!/usr/bin/env bash
# A pkcs11: URI that names nothing, or nothing that can be used: openssl's own stderr says what was wrong and what is
# there; a wrong PIN is sent once.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token p256 p384

# request_fails TITLE URI PATTERN
request_fails() {
  forget_calls
  configured refuses "$1" "$3" openssl req -new -key "$2" -subj /CN=device -out "$scratch/none.csr"
  [[ ! -e $scratch/none.csr ]] || fail "$1: there is a request"
}

request_fails 'no such token' 'pkcs11:token=edgy;object=device-p256' "no token is labelled 'edgy'; tokens here: 'edge'.*did you mean 'edge'"
made C_Login 0
request_fails 'no such key' 'pkcs11:token=edge;object=device-p25' "it has keys .*'device-p256'.*none is labelled 'device-p25'; did you mean 'device-p256'"
request_fails 'no such id' 'pkcs11:token=edge;id=%09' "no such key: token 'edge' found"
request_fails 'two keys fit' 'pkcs11:token=edge' "fits 2 keys; use a URI that fits one: .*object=device-p256"
request_fails 'an attribute that there is not' 'pkcs11:token=edge;objekt=device-p256' "the attribute 'objekt' is unknown; did you mean 'object'"
made total 0
request_fails 'half an escape' 'pkcs11:token=edge;object=%zz' "offset 25, attribute 'object': two hexadecimal digits"
made total 0
request_fails 'a certificate' 'pkcs11:token=edge;object=device-p256;type=cert' 'another kind of object.*type=private for a key'
made total 0
request_fails 'a PIN file that is not there' 'pkcs11:token=edge;object=device-p256?pin-source=file:/nowhere/pin' \
  "the PIN file '/nowhere/pin' cannot be read: No such file"
made C_Login 0

printf '%s' "not-$token_pin" >"$scratch/wrong-pin"
request_fails 'a wrong PIN in the URI' "pkcs11:token=edge;object=device-p256?pin-source=file:$scratch/wrong-pin" \
  "cannot log in to token 'edge': the token does not take the PIN.*CKR_PIN_INCORRECT"
made 'C_Login CKR_PIN_INCORRECT' 1
made C_Login 1
! grep -qF "$token_pin" "$output" || fail "a PIN was shown"

# The URI's own PIN source counts before the section's; its module-path does not count at all.
write_config "$scratch/openssl.cnf" "hsmtls-module = $chaos" "hsmtls-pin-source = file:$scratch/wrong-pin"
forget_calls
export HSMTLS_TEST_TRAP=$scratch/sprung
configured passes "the URI's PIN before the section's, no module of the URI's" openssl req -new -subj /CN=device -out "$scratch/good.csr" \
  -key "pkcs11:token=edge;object=device-p256?pin-source=file:$scratch/pin&module-path=$HSMTLS_TEST_TRAP_MODULE"
made C_Login 1
[[ ! -e $HSMTLS_TEST_TRAP ]] || fail "the URI's module was loaded"
