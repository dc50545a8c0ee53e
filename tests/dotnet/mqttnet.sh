#!/usr/bin/env bash
# MQTTnet, unmodified, against mosquitto, which wants a client certificate and knows only the root, so that the installed
# intermediates are sent: EC and RSA, TLS 1.2 and 1.3, and once more with the same identity after the token was reset.
# shellcheck source=tests/dotnet/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
built publish_mqttnet
need mosquitto
for version in tlsv1.2 tlsv1.3; do
  broker_start "$scratch/$version" "$HSMTLS_TEST_FOLDER" "$version" || fail "no broker"
  for key in ec rsa; do
    name=$key-$version
    child_start "$name" "$scratch" "$program" "pkcs11:token=edge;object=$key" "$HSMTLS_TEST_FOLDER/ca.pem" "$broker_port" \
      "$name" "devices/$key"
    says "$name" '"event": "published"'
    printf 'drop-sessions\n' >>"$HSMTLS_CHAOS_FILE"
    child_say "$name" again
    says "$name" '"event": "published"'
    finished "$name"
    seen=$(grep -acE "New client connected .* as $name .*u'device-$key'" "$broker_log") || true
    ((seen == 2)) || fail "the broker saw device-$key $seen times, not twice"
  done
  child_end broker
done
