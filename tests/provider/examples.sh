#!/usr/bin/env bash
# examples/openssl, examples/curl and examples/mosquitto, as docs/provider.md shows them: the openssl.cnf as it is
# installed, module and PIN from the environment.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl mosquitto mosquitto_pub
make_token p256
make_pki
examples=$HSMTLS_ROOT/examples

# The program's whole configuration.
example() { OPENSSL_CONF=$HSMTLS_TEST_CNF HSMTLS_MODULE=$vendor HSMTLS_PIN_SOURCE=file:$scratch/pin "$@"; }
key='pkcs11:token=edge;object=device-p256'

example passes 'examples/openssl/request.sh' "$examples/openssl/request.sh" "$key" device-0001 "$pki/device.csr"
pki_sign_client "$pki" device || fail "no certificate"
start_tls_server
printf 'GET / HTTP/1.0\r\n\r\n' | example "$examples/openssl/connect.sh" "$key" "$pki/device.pem" "$pki/ca.pem" "localhost:$port" >"$scratch/connect.out"
grep -q 'CN *= *device-0001' "$scratch/connect.out" || fail "the server did not see device-0001"

"$examples/openssl/reference_pem.sh" "$key;type=private" >"$scratch/device.ref.pem"
example passes 'examples/curl/get.sh' "$examples/curl/get.sh" "$scratch/device.ref.pem" "$pki/device.pem" "$pki/ca.pem" "https://localhost:$port/"
grep -q 'CN *= *device-0001' "$output" || fail "the server did not see device-0001"

broker_start "$scratch/broker" "$pki" || fail "no broker"
example passes 'examples/mosquitto/publish.sh' "$examples/mosquitto/publish.sh" "$scratch/device.ref.pem" "$pki/device.pem" "$pki/ca.pem" \
  localhost "$broker_port" devices/device-0001 hello
grep -aq "u'device-0001'" "$broker_log" || fail "the broker did not see device-0001"
