#!/bin/sh
# curl with a client certificate whose key is in a token: the key file is a reference PEM (../openssl/reference_pem.sh).
#
#   export OPENSSL_CONF=/usr/local/share/hsmtls/openssl.cnf
#   export HSMTLS_MODULE=/usr/lib/softhsm/libsofthsm2.so HSMTLS_PIN_SOURCE=file:/etc/edge/pin
#   ./get.sh device.ref.pem device.pem ca.pem https://gateway.example/
set -eu
exec curl --silent --show-error --key "$1" --cert "$2" --cacert "$3" "$4"
