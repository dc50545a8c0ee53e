#!/usr/bin/env bash
# A C program on libmosquitto with a key from the stock libp11 engine; the SSL_CTX lives through it all. With TLS 1.2 the
# client waits for the server after it has signed: whatever a recovery leaves in OpenSSL's error queue ends the handshake.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need mosquitto
[[ -x $HSMTLS_TEST_BIN/publish_mosquitto_engine ]] || skip "publish_mosquitto_engine was not built (libmosquitto's headers are missing)"
need_engine

good='"event": "published"'
bad='"event": "failed"'
for tls in tlsv1.2 tlsv1.3; do
  printf -- '== %s\n' "$tls"
  make_token
  make_pki
  broker_start "$scratch/broker" "$pki" "$tls" || fail "no broker"
  for side in "${sides[@]}"; do
    start_signer "$side" "$HSMTLS_TEST_BIN/publish_mosquitto_engine" "$key_uri?pin-source=$(token_pin_source "$scratch")" \
      "$pki/device.pem" "$pki/ca.pem" "$broker_port" "$side" devices/test
  done
  survives_resets '"event": "failed", "error": ".*Session handle invalid'
  survives_removal
  signers_end
  grep -aq "as front .*u'device-0001'" "$broker_log" || fail "the broker did not see the device's identity"
  child_end broker
  signed_each_time
done
