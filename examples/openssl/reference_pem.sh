#!/bin/sh
# Prints the reference PEM of a key: what to give a program that wants a key file. It names the key, and holds no key.
#
#   ./reference_pem.sh 'pkcs11:token=edge;object=device-key;type=private' >device.ref.pem
set -eu
uri=$(printf '%s' "$1" | sed 's/[\\"$]/\\&/g') # as openssl's configuration files want it
echo '-----BEGIN PKCS#11 PROVIDER URI-----'
openssl asn1parse -genconf /dev/stdin -noout -out /dev/stdout <<TEXT | openssl base64
asn1 = SEQUENCE:reference
[reference]
format = "FORMAT:UTF8,VISIBLESTRING:PKCS#11 Provider URI v1.0"
uri = "FORMAT:UTF8,UTF8String:$uri"
TEXT
echo '-----END PKCS#11 PROVIDER URI-----'
