#!/bin/sh
# mosquitto_pub with a key in a token: the key file is a reference PEM (../openssl/reference_pem.sh). Environment as for
# ../curl/get.sh.
#
#   ./publish.sh device.ref.pem device.pem ca.pem broker.example 8883 devices/device-0001 hello
set -eu
exec mosquitto_pub --key "$1" --cert "$2" --cafile "$3" -h "$4" -p "$5" -t "$6" -m "$7" -q 1
