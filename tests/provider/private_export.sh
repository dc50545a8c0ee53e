#!/usr/bin/env bash
# The private half is given to nobody: openssl's commands that would write it down fail, say why, and write nothing.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token "${key_types[@]}"
make_pki
make_device p256

# keeps TITLE PATTERN COMMAND…: it is refused, and what openssl has made of $out is empty.
out=$scratch/exported
keeps() {
  rm -f "$out"
  configured refuses "$@"
  [[ ! -s $out ]] || fail "$1 wrote something"
}
said='stays in the token; it can be written nowhere'
for type in "${key_types[@]}"; do
  key=$(uri_of "$type")
  keeps "openssl pkey ($type)" "$said" openssl pkey -in "$key" -out "$out"
  keeps "openssl pkey, DER ($type)" "$said" openssl pkey -in "$key" -outform DER -out "$out"
  keeps "openssl pkey, encrypted ($type)" "$said" openssl pkey -in "$key" -aes256 -passout pass:secret -out "$out"
  keeps "openssl pkey -text ($type)" "$said" openssl pkey -in "$key" -text -noout -out "$out"
  keeps "openssl pkcs8 ($type)" "$said" openssl pkcs8 -topk8 -nocrypt -in "$scratch/device-$type.ref.pem" -out "$out"
  keeps "openssl pkcs8, encrypted ($type)" "$said" openssl pkcs8 -topk8 -passout pass:secret -in "$scratch/device-$type.ref.pem" -out "$out"
done
keeps 'openssl rsa' "$said" openssl rsa -in "$(uri_of rsa)" -out "$out"
keeps 'openssl rsa -traditional' 'unable to write key' openssl rsa -in "$(uri_of rsa)" -traditional -out "$out"
keeps 'openssl ec' "$said" openssl ec -in "$(uri_of p256)" -out "$out"
keeps 'openssl pkcs12 -export' "$said" openssl pkcs12 -export -in "$pki/device-p256.pem" -inkey "$(uri_of p256)" -passout pass:secret -out "$out"
