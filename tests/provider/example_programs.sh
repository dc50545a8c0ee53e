#!/usr/bin/env bash
# examples/cpp and examples/c: programs on hsmtls, each with a library that is not changed. Module and PIN from the environment.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need mosquitto mosquitto_pub
for program in quick_start device_mosquitto device_mosquitto_c publish_mosquitto get_with_curl get_with_asio; do
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

for type in p256 rsa; do
  "$HSMTLS_TEST_COMMAND" --module "$vendor" --pin-source "file:$scratch/pin" import "pkcs11:token=edge;object=device-$type" \
    --certificate "$pki/device-$type.pem" >"$scratch/import.log" 2>&1 || { cat "$scratch/import.log"; fail "no certificate in the token"; }
  SSL_CERT_FILE=$pki/ca.pem HSMTLS_LOG=$scratch/quick_start.log on_token passes "quick_start, $type" "$HSMTLS_TEST_BIN/quick_start" \
    "pkcs11:token=edge;object=device-$type" localhost "localhost:$port"
  (($(grep -c ' signed ' "$scratch/quick_start.log") == 1)) || fail "quick_start: the token was to sign once"
  rm "$scratch/quick_start.log"
done
SSL_CERT_FILE=/nowhere SSL_CERT_DIR=$scratch on_token passes "quick_start, a peer that nobody trusts" "$HSMTLS_TEST_BIN/quick_start" \
  'pkcs11:token=edge;object=device-p256' localhost "localhost:$port"
grep -q "hsmtls test CA.*, which is not among the trusted certificates" "$output" || { cat "$output"; fail "quick_start was to say whom nobody trusts"; }

# Devices that send telemetry and receive a command, which the broker keeps for them.
broker_start "$scratch/broker" "$pki" || fail "no broker"
_openssl "$pki" cloud-csr req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=cloud -keyout "$pki/cloud.key" -out "$pki/cloud.csr"
pki_sign_client "$pki" cloud || fail "no certificate for who sends the command"
mosquitto_pub -h localhost -p "$broker_port" --cafile "$pki/ca.pem" --cert "$pki/cloud.pem" --key "$pki/cloud.key" \
  -t devices/commands -m blink -q 1 -r || fail "no command at the broker"
for device in device_mosquitto device_mosquitto_c; do
  for type in p256 rsa; do
    on_token passes "$device, $type" "$HSMTLS_TEST_BIN/$device" "pkcs11:token=edge;object=device-$type" "$pki/ca.pem" localhost "$broker_port"
    grep -qx 'devices/commands: blink' "$output" || fail "$device did not receive the command"
    (($(grep -ac "u'device-$type'" "$broker_log") >= 1)) || fail "the broker did not see device-$type"
  done
  on_token refuses "$device without its key" "labelled 'nobody'" "$HSMTLS_TEST_BIN/$device" 'pkcs11:token=edge;object=nobody' \
    "$pki/ca.pem" localhost "$broker_port"
done

# The token is reset under the program, which publishes again.
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
(($(grep -ac "as publisher .*u'device-p256'" "$broker_log") == 2)) || fail "the broker did not see device-p256 twice"
