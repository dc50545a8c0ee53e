#!/usr/bin/env bash
# mosquitto as a broker whose key stays in the token: keyfile names a reference PEM, which is only the key's name.
#
#   OPENSSL_CONF=/usr/local/share/hsmtls/openssl.cnf HSMTLS_MODULE=/usr/lib/softhsm/libsofthsm2.so \
#     HSMTLS_PIN_SOURCE=file:/etc/edge/pin broker.sh CERTIFICATE REFERENCE-PEM CA-FILE PORT FOLDER
#
# Clients must have a certificate of CA-FILE's; its common name is their user name. FOLDER gets the configuration.
set -euo pipefail
(($# == 5)) || { sed -n '4,5s/^# *//p' "$0" >&2; exit 2; }
certificate=$1 reference=$2 ca=$3 port=$4 folder=$5

cat >"$folder/mosquitto.conf" <<MOSQUITTO
# A broker that gives up root may no longer read the token and the PIN: name a user that may.
$( ((EUID != 0)) || echo 'user root')
listener $port 127.0.0.1
certfile $certificate
keyfile $reference
cafile $ca
require_certificate true
use_identity_as_username true
MOSQUITTO
exec mosquitto -c "$folder/mosquitto.conf"
