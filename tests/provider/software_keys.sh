#!/usr/bin/env bash
# With the provider configured, everything that has nothing to do with a token works as before, and costs no PKCS#11 call:
# the vendor's module is not even loaded.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token p256
make_pki
make_device p256
made_some C_Sign # the instrument does count
forget_calls
generate() { configured passes "openssl genpkey ($1)" openssl genpkey -out "$scratch/$1.key" "${@:2}"; }
generate ec -algorithm EC -pkeyopt ec_paramgen_curve:P-256
generate rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
generate ed25519 -algorithm ED25519
generate x25519 -algorithm X25519
start_tls_server
for type in ec rsa ed25519; do
  configured passes "openssl req -new ($type)" openssl req -new -key "$scratch/$type.key" -subj "/CN=soft-$type" -out "$pki/soft-$type.csr"
  pki_sign_client "$pki" "soft-$type" || fail "no certificate"
  configured passes "openssl pkcs8 ($type)" openssl pkcs8 -topk8 -nocrypt -in "$scratch/$type.key" -out "$scratch/$type.p8"
  configured passes "openssl pkey -text ($type)" openssl pkey -in "$scratch/$type.p8" -text -noout
  for version in tls1_2 tls1_3; do
    fetch "openssl s_client ($type, $version)" "soft-$type" -cert "$pki/soft-$type.pem" -key "$scratch/$type.key" "-$version"
  done
done
configured passes 'openssl dgst' openssl dgst -sha256 -sign "$scratch/rsa.key" -out "$scratch/signature" "$scratch/openssl.cnf"
configured passes 'openssl verify' openssl verify -CAfile "$pki/ca.pem" "$pki/soft-rsa.pem"
configured refuses 'a file that is no key' 'unsupported|Could not read' openssl pkey -in "$pki/ca.pem" -noout
configured refuses 'a file that is not there' 'No such file' openssl pkey -in "$scratch/nowhere.pem" -noout
[[ -z $(ls "$scratch/counts") ]] || { cat "$scratch"/counts/*; fail "PKCS#11 was called"; }

# Where we are asked first, keys in files are signed with by their own provider all the same.
printf 'a message\n' >"$scratch/message"
openssl dgst -sha256 -binary -out "$scratch/digest" "$scratch/message"
# sign_with_files TITLE
sign_with_files() {
  local type title=$1
  for type in ec rsa; do
    configured passes "openssl pkeyutl -sign ($type, $title)" openssl pkeyutl -sign -inkey "$scratch/$type.key" \
      -in "$scratch/digest" -out "$scratch/signature"
    passes "openssl pkeyutl -verify without us ($type, $title)" openssl pkeyutl -verify -inkey "$scratch/$type.key" \
      -in "$scratch/digest" -sigfile "$scratch/signature"
  done
  configured passes "openssl req ($title)" openssl req -new -key "$scratch/ed25519.key" -subj /CN=soft -out "$scratch/soft.csr"
  configured passes "openssl s_client ($title)" openssl s_client -connect "localhost:$port" -CAfile "$pki/ca.pem" \
    -verify_return_error -cert "$pki/soft-ec.pem" -key "$scratch/ec.key"
}
printf '%s\n' '[hsmtls_init]' 'alg_section = properties' '[properties]' 'default_properties = ?provider=hsmtls' >>"$scratch/openssl.cnf"
sign_with_files 'we are preferred'
make_configuration
printf '%s\n' '[hsmtls_init]' 'providers = turned' '[turned]' 'hsmtls = hsmtls_provider' 'default = default_provider' \
  '[default_provider]' 'activate = 1' >>"$scratch/openssl.cnf"
configured refuses 'openssl genpkey (we are named first)' 'not supported for this keytype' \
  openssl genpkey -out "$scratch/none.key" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
sign_with_files 'we are named first'
configured passes "openssl req, a key in the token (we are named first)" openssl req -new -key "$(uri_of p256)" -subj /CN=device -out "$scratch/device.csr"
