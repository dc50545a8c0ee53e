#!/usr/bin/env bash
# A provider section that does not fit: a module that is none, a PIN that is wrong or nowhere; a certificate for another
# key. The key named by URI and by reference PEM.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token p256 p384
make_pki
make_device p256
make_device p384

# request_fails TITLE PATTERN [LINE…]: with these lines in our section.
request_fails() {
  local key title=$1 pattern=$2
  shift 2
  write_config "$scratch/openssl.cnf" "$@"
  for key in "$(uri_of p256)" "$scratch/device-p256.ref.pem"; do
    forget_calls
    configured refuses "$title, ${key##*.}" "$pattern" openssl req -new -key "$key" -subj /CN=device -out "$scratch/none.csr"
    [[ ! -e $scratch/none.csr ]] || fail "$title: there is a request"
  done
}
pin="hsmtls-pin-source = file:$scratch/pin"

request_fails 'no such module' "the PKCS#11 module '/nowhere/vendor.so' cannot be loaded: .*No such file.*hsmtls-module" 'hsmtls-module = /nowhere/vendor.so' "$pin"
request_fails 'a library that is no PKCS#11 module' 'is not a PKCS#11 module: it has no C_GetFunctionList' "hsmtls-module = $HSMTLS_TEST_TRAP_MODULE" "$pin"
request_fails 'a text for a module' 'is not a PKCS#11 module' "hsmtls-module = $scratch/openssl.cnf" "$pin"

module="hsmtls-module = $chaos"
printf '%s' "not-$token_pin" >"$scratch/wrong-pin"
request_fails 'no PIN' "wants a PIN: .*hsmtls-pin-source in our section" "$module"
made C_Login 0
# The last key was named by a reference, which must not say where the PIN is.
! grep -q 'in the URI' "$output" || { cat "$output"; fail "the advice would be refused"; }
# An empty variable says nothing: the section counts.
write_config "$scratch/openssl.cnf" "$module" "$pin"
HSMTLS_PIN_SOURCE='' configured passes 'an empty HSMTLS_PIN_SOURCE' openssl req -new -key "$(uri_of p256)" -subj /CN=device -out "$scratch/with-pin.csr"
request_fails 'a wrong PIN' "cannot log in to token 'edge': the token does not take the PIN.*CKR_PIN_INCORRECT" "$module" "hsmtls-pin-source = file:$scratch/wrong-pin"
made 'C_Login CKR_PIN_INCORRECT' 1
made C_Login 1
! grep -qF "$token_pin" "$output" || fail "a PIN was shown"
request_fails 'a PIN file that is not there' "the PIN file '/nowhere/pin' cannot be read: No such file" "$module" 'hsmtls-pin-source = file:/nowhere/pin'
made C_Login 0
request_fails 'a PIN source of another kind' 'file:|pin-source' "$module" 'hsmtls-pin-source = smoke-signal:7'
made C_Login 0

# The environment does where the section says nothing.
write_config "$scratch/openssl.cnf"
HSMTLS_MODULE=$chaos HSMTLS_PIN_SOURCE=file:$scratch/pin configured passes 'module and PIN from the environment' \
  openssl req -new -key "$(uri_of p256)" -subj /CN=device -out "$scratch/good.csr"

make_configuration
configured refuses 'a certificate for another key (URI)' 'key values mismatch' \
  openssl s_client -connect localhost:1 -cert "$pki/device-p384.pem" -key "$(uri_of p256)"
configured refuses 'a certificate for another key (reference)' 'key values mismatch|does not match' \
  openssl s_client -connect localhost:1 -cert "$pki/device-p384.pem" -key "$scratch/device-p256.ref.pem"
