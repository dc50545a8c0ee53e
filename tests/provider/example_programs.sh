#!/usr/bin/env bash
# examples/cpp: programs on hsmtls, each with a library that is not changed. Module and PIN from the environment.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need mosquitto
for program in publish_mosquitto get_with_curl get_with_asio; do
  [[ -x $HSMTLS_TEST_BIN/$program ]] || skip "$program was not built: its library's headers are missing"
done
make_token p256 rsa
make_pki
make_device p256
make_device rsa
on_token() { HSMTLS_MODULE=$chaos HSMTLS_CHAOS_MODULE=$vendor HSMTLS_CHAOS_FILE=$scratch/chaos HSMTLS_PIN_SOURCE=file:$scratch/pin "$@"; }
: >"$scratch/chaos"

start_tls_server
for type in p256 rsa; do
  key="pkcs11:token=edge;object=device-$type"
  on_token passes "get_with_curl, $type" "$HSMTLS_TEST_BIN/get_with_curl" "$key" "$pki/device-$type.pem" "$pki/ca.pem" "https://localhost:$port/"
  grep -q "CN *= *device-$type" "$output" || fail "the server did not see device-$type"
  on_token passes "get_with_asio, $type" "$HSMTLS_TEST_BIN/get_with_asio" "$key" "$pki/device-$type.pem" "$pki/ca.pem" localhost "$port" /
  grep -q "CN *= *device-$type" "$output" || fail "the server did not see device-$type"
done
for program in get_with_curl get_with_asio; do
  place=("https://localhost:$port/")
  [[ $program == get_with_curl ]] || place=(localhost "$port" /)
  on_token refuses "$program with the certificate of another key" 'holds the certificate of another key' \
    "$HSMTLS_TEST_BIN/$program" 'pkcs11:token=edge;object=device-p256' "$pki/device-rsa.pem" "$pki/ca.pem" "${place[@]}"
done

# The token is reset under the program, which publishes again.
broker_start "$scratch/broker" "$pki" || fail "no broker"
"$HSMTLS_TEST_COMMAND" --module "$vendor" --pin-source "file:$scratch/pin" import 'pkcs11:token=edge;object=device-p256' \
  --certificate "$pki/device-p256.pem" >"$scratch/import.log" 2>&1 || { cat "$scratch/import.log"; fail "no certificate in the token"; }
on_token child_start publisher "$scratch" "$HSMTLS_TEST_BIN/publish_mosquitto" 'pkcs11:token=edge;object=device-p256' "$pki/ca.pem" \
  "$broker_port" publisher devices/test
published() {
  child_line publisher 30 || { cat "$scratch/publisher.err"; fail "the publisher said nothing"; }
  [[ $line == *'"event": "published"'* ]] || fail "the publisher said: $line"
}
published
printf 'drop-sessions\n' >>"$scratch/chaos"
child_say publisher again
published
child_finish publisher || fail "the publisher ended with status $?"
(($(grep -ac "u'device-p256'" "$broker_log") == 2)) || fail "the broker did not see device-p256 twice"
