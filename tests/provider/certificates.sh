#!/usr/bin/env bash
# Certificates in the token: openssl x509 and s_client take them by URI, and openssl storeutl lists what is there.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token p256
make_pki
make_device p256
openssl x509 -in "$pki/device-p256.pem" -outform DER -out "$scratch/device.der"
quietly "$scratch/log/import.log" pkcs11-tool --module "$vendor" --token-label edge --login --pin "$token_pin" \
  --write-object "$scratch/device.der" --type cert --id 01 --label device-p256 || fail "no certificate in the token"
certificate='pkcs11:token=edge;object=device-p256;type=cert'

configured passes 'openssl x509' openssl x509 -in "$certificate" -out "$scratch/read.pem"
cmp "$scratch/read.pem" <(openssl x509 -in "$pki/device-p256.pem") || fail "another certificate"

configured passes 'openssl storeutl' openssl storeutl -noout 'pkcs11:token=edge;object=device-p256'
for line in '0: Pkey' '1: Certificate'; do
  grep -q "^$line" "$output" || { cat "$output"; fail "openssl storeutl was to list $line"; }
done
configured passes 'openssl storeutl -certs' openssl storeutl -certs 'pkcs11:token=edge'
cmp <(sed -n '/BEGIN/,/END/p' "$output") "$scratch/read.pem" || fail "storeutl shows another certificate"
configured passes 'openssl storeutl -keys' openssl storeutl -keys 'pkcs11:token=edge;object=device-p256'
grep -q '^Total found: 1' "$output" || { cat "$output"; fail "not one key"; }

start_tls_server
fetch 'openssl s_client, key and certificate in the token' device-p256 -cert "$certificate" -key "$(uri_of p256)"

configured refuses 'a certificate that is not there' "no certificate that fits|no .*certificate" openssl x509 -in 'pkcs11:token=edge;object=other;type=cert' -noout
configured refuses 'a key where a certificate is wanted' 'another kind of object.*type=private.*type=cert for a certificate' \
  openssl x509 -in "$(uri_of p256)" -noout
configured refuses 'a certificate where a key is wanted' 'another kind of object.*type=cert.*type=private for a key' \
  openssl pkey -in "$certificate" -pubout

# A token that holds the private half alone: the certificate that is the key's own shows the other.
openssl pkey -pubin -in <(openssl x509 -in "$scratch/read.pem" -noout -pubkey) -out "$scratch/right.pub"
delete() { quietly "$scratch/log/delete.log" pkcs11-tool --module "$vendor" --token-label edge --login --pin "$token_pin" --delete-object "$@" || fail "nothing deleted"; }
delete --type pubkey --id 01
forget_calls
configured passes 'openssl pkey, no public key in the token' openssl pkey -in "$(uri_of p256)" -pubout -out "$scratch/learned.pub"
made C_Sign 1
cmp "$scratch/right.pub" "$scratch/learned.pub" || fail "another public half"
delete --type cert --id 01
configured refuses 'openssl pkey, nothing of the public half in the token' 'not its public half.*hsmtls import' \
  openssl pkey -in "$(uri_of p256)" -pubout
