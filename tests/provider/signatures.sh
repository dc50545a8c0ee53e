#!/usr/bin/env bash
# openssl's commands that sign with a key in the token, and those that only want its public half.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token "${key_types[@]}"
printf 'a message\n' >"$scratch/message"

for type in "${key_types[@]}"; do
  configured passes "openssl pkey -pubout ($type)" openssl pkey -in "$(uri_of "$type")" -pubout -out "$scratch/$type.pub"
  configured passes "openssl pkey -pubout ($type, reference)" openssl pkey -in "$scratch/device-$type.ref.pem" -pubout -out "$scratch/$type.pub2"
  cmp "$scratch/$type.pub" "$scratch/$type.pub2" || fail "two public halves of one key"
  passes "openssl pkey -pubcheck without us ($type)" openssl pkey -pubin -in "$scratch/$type.pub" -pubcheck -noout
done

# dgst TITLE TYPE OPTION…: signed by the token; verified without us, and by us with the public half.
dgst() {
  local key title=$1 type=$2
  key=$(uri_of "$2")
  shift 2
  configured passes "openssl dgst -sign ($title)" openssl dgst -sign "$key" "$@" -out "$scratch/signature" "$scratch/message"
  passes "openssl dgst -verify without us ($title)" openssl dgst -verify "$scratch/$type.pub" "$@" -signature "$scratch/signature" "$scratch/message"
  configured passes "openssl dgst -prverify ($title)" openssl dgst -prverify "$key" "$@" -signature "$scratch/signature" "$scratch/message"
  configured passes "openssl dgst -verify by URI ($title)" openssl dgst -verify "$key" "$@" -signature "$scratch/signature" "$scratch/message"
  printf 'another message\n' >"$scratch/other"
  configured refuses "openssl dgst -prverify, another message ($title)" 'Verification failure' \
    openssl dgst -prverify "$key" "$@" -signature "$scratch/signature" "$scratch/other"
}
for digest in sha256 sha384 sha512 sha1; do
  for type in p256 p384 rsa; do dgst "$type, $digest" "$type" "-$digest"; done
  for salt in digest max 20 -1; do
    dgst "RSA-PSS, $digest, salt $salt" rsa "-$digest" -sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$salt"
  done
done
forget_calls
dgst 'one signature' p256 -sha256
made C_Sign 1

# Ed25519 signs messages, not digests.
configured passes 'openssl pkeyutl -rawin (ed25519)' openssl pkeyutl -sign -rawin -inkey "$(uri_of ed25519)" -in "$scratch/message" -out "$scratch/signature"
passes 'openssl pkeyutl -verify without us (ed25519)' openssl pkeyutl -verify -rawin -pubin -inkey "$scratch/ed25519.pub" \
  -in "$scratch/message" -sigfile "$scratch/signature"
# A digest that somebody else made.
openssl dgst -sha256 -binary -out "$scratch/digest" "$scratch/message"
for type in p256 rsa; do
  configured passes "openssl pkeyutl -sign ($type)" openssl pkeyutl -sign -inkey "$(uri_of "$type")" -in "$scratch/digest" \
    -pkeyopt digest:sha256 -out "$scratch/signature"
  passes "openssl pkeyutl -verify without us ($type)" openssl pkeyutl -verify -pubin -inkey "$scratch/$type.pub" -in "$scratch/digest" \
    -pkeyopt digest:sha256 -sigfile "$scratch/signature"
  for key in "$(uri_of "$type")" "$scratch/device-$type.ref.pem"; do
    configured passes "openssl pkeyutl -verify -pubin ($type, ${key##*.})" openssl pkeyutl -verify -pubin -inkey "$key" \
      -in "$scratch/digest" -pkeyopt digest:sha256 -sigfile "$scratch/signature"
    configured passes "openssl pkey -pubin ($type, ${key##*.})" openssl pkey -pubin -in "$key" -out "$scratch/$type.pub3"
    cmp "$scratch/$type.pub" "$scratch/$type.pub3" || fail "another public half"
  done
done

make_pki
for type in p256 p384 rsa; do
  make_device "$type"
  configured passes "openssl cms -sign ($type)" openssl cms -sign -nodetach -in "$scratch/message" -signer "$pki/device-$type.pem" \
    -inkey "$(uri_of "$type")" -outform PEM -out "$scratch/$type.cms"
  passes "openssl cms -verify without us ($type)" openssl cms -verify -in "$scratch/$type.cms" -inform PEM -CAfile "$pki/ca.pem" -purpose any \
    -out "$scratch/$type.text"
done
configured passes 'openssl cms -sign (RSA-PSS)' openssl cms -sign -nodetach -in "$scratch/message" -signer "$pki/device-rsa.pem" \
  -inkey "$(uri_of rsa)" -keyopt rsa_padding_mode:pss -outform PEM -out "$scratch/pss.cms"
passes 'openssl cms -verify without us (RSA-PSS)' openssl cms -verify -in "$scratch/pss.cms" -inform PEM -CAfile "$pki/ca.pem" -purpose any \
  -out "$scratch/pss.text"

# What the token cannot do for this provider is said, not crashed on.
configured refuses 'openssl pkeyutl -decrypt' 'not supported for this keytype' openssl pkeyutl -decrypt -inkey "$(uri_of rsa)" -in "$scratch/digest"
configured refuses 'openssl pkeyutl -derive' 'not supported for this keytype' openssl pkeyutl -derive -inkey "$(uri_of p256)" -peerkey "$scratch/p256.pub"
