#!/bin/sh
# A certificate request for a key in a token, with stock openssl. The environment says where the provider, the vendor's
# module and the PIN are (docs/provider.md):
#
#   export OPENSSL_CONF=/usr/local/share/hsmtls/openssl.cnf
#   export HSMTLS_MODULE=/usr/lib/softhsm/libsofthsm2.so HSMTLS_PIN_SOURCE=file:/etc/edge/pin
#   ./request.sh 'pkcs11:token=edge;object=device-key' device-0001 device.csr
set -eu
key=$1 name=$2 request=$3
openssl req -new -key "$key" -subj "/CN=$name" -sha256 -out "$request"
# What the certificate authority will check: that who asks has the key.
openssl req -in "$request" -noout -verify
