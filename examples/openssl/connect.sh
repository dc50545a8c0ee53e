#!/bin/sh
# Connects with the certificate that the request has led to, and sends what is on stdin. Environment as for request.sh.
#
#   printf 'GET / HTTP/1.0\r\n\r\n' | ./connect.sh 'pkcs11:token=edge;object=device-key' device.pem ca.pem broker.example:8883
set -eu
key=$1 certificate=$2 ca=$3 peer=$4
exec openssl s_client -quiet -connect "$peer" -cert "$certificate" -key "$key" \
  -CAfile "$ca" -verify_return_error -verify_hostname "${peer%:*}"
