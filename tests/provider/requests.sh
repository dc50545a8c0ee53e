#!/usr/bin/env bash
# openssl req with a key in the token: certificate requests and self-signed certificates, RSA-PSS too, that a stock
# OpenSSL without us accepts.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token "${key_types[@]}"

# Peers refuse certificates that spell the curve out instead of naming it.
declare -A reads=([p256]='ASN1 OID: prime256v1' [p384]='ASN1 OID: secp384r1' [rsa]='Public-Key: \(2048 bit\)'
  [ed25519]='Public Key Algorithm: ED25519')
declare -A signed=([p256]=ecdsa-with-SHA256 [p384]=ecdsa-with-SHA256 [rsa]=sha256WithRSAEncryption [ed25519]=ED25519)

# has FILE PATTERN
has() { grep -qE "$2" "$1" || { cat "$1"; fail "$1 was to have: $2"; }; }

for type in "${key_types[@]}"; do
  for key in "$(uri_of "$type")" "$scratch/device-$type.ref.pem"; do
    forget_calls
    configured passes "openssl req -new ($type, ${key##*.})" openssl req -new -key "$key" -subj "/CN=device-$type" -out "$scratch/$type.csr"
    made C_Sign 1
    made C_Login 1
    passes "openssl req -verify without us ($type)" openssl req -in "$scratch/$type.csr" -verify -noout -text
    has "$output" 'self-signature verify OK|verify OK'
    has "$output" "${reads[$type]}"
    has "$output" "Signature Algorithm: ${signed[$type]}"
    if [[ $type == p* ]]; then
      ! grep -q 'Field Type' "$output" || fail "the curve is not named"
    fi
  done
done

# self_signed TITLE PATTERN OPTION…: a self-signed certificate that reads PATTERN and verifies without us.
self_signed() {
  configured passes "openssl req -x509 ($1)" openssl req -x509 -subj '/CN=self' -days 30 -out "$scratch/self.pem" "${@:3}"
  passes "openssl verify without us ($1)" openssl verify -check_ss_sig -CAfile "$scratch/self.pem" "$scratch/self.pem"
  passes "openssl x509 -text ($1)" openssl x509 -in "$scratch/self.pem" -noout -text
  has "$output" "$2"
}
for type in "${key_types[@]}"; do self_signed "$type" "Signature Algorithm: ${signed[$type]}" -key "$(uri_of "$type")"; done
pss=(-key "$(uri_of rsa)" -sigopt rsa_padding_mode:pss)
self_signed 'RSA-PSS, 32 bytes of salt' 'Salt Length: 0x20' "${pss[@]}" -sigopt rsa_pss_saltlen:32 -sha256
self_signed 'RSA-PSS, as long as SHA-384' 'Salt Length: 0x30' "${pss[@]}" -sigopt rsa_pss_saltlen:digest -sha384
self_signed 'RSA-PSS, -1: as long as SHA-512' 'Salt Length: 0x40' "${pss[@]}" -sigopt rsa_pss_saltlen:-1 -sha512
self_signed 'RSA-PSS, another digest in MGF1' 'mgf1 with sha384' "${pss[@]}" -sigopt rsa_mgf1_md:sha384 -sha256
configured refuses 'RSA-PSS, more salt than the key holds' 'salt of 300 bytes does not fit' \
  openssl req -x509 -subj '/CN=self' -out "$scratch/none.pem" "${pss[@]}" -sigopt rsa_pss_saltlen:300
