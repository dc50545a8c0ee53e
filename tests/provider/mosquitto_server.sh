#!/usr/bin/env bash
# mosquitto as a broker whose key is in the token (keyfile names a reference PEM), before and after the token was reset;
# its clients have theirs in the same token.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need mosquitto mosquitto_pub
make_token p256 rsa p384
make_pki
make_device p384

for type in p256 rsa; do
  make_token_server "$type"
  mkdir -p "$scratch/broker-$type"
  cp "$pki/ca.pem" "$scratch/broker-$type/ca.pem"
  cp "$pki/token-server-$type.pem" "$scratch/broker-$type/server.pem"
  cp "$scratch/device-$type.ref.pem" "$scratch/broker-$type/server.key"
  forget_calls
  : >"$scratch/chaos"
  HSMTLS_LOG=$scratch/broker-$type.log configured broker_start "$scratch/broker-$type" "$scratch/broker-$type" || fail "no broker"
  publish=(mosquitto_pub -h localhost -p "$broker_port" -t devices/test -m hello -q 1 --cafile "$pki/ca.pem"
    --cert "$pki/device-p384.pem" --key "$scratch/device-p384.ref.pem")
  for version in tlsv1.2 tlsv1.3; do
    configured passes "mosquitto_pub, broker's key in the token ($type, $version)" "${publish[@]}" --tls-version "$version"
  done
  printf 'drop-sessions\n' >>"$scratch/chaos"
  for version in tlsv1.2 tlsv1.3; do
    configured passes "the same after the token was reset ($type, $version)" "${publish[@]}" --tls-version "$version"
  done
  (($(grep -ac "u'device-p384'" "$broker_log") == 4)) || fail "the broker did not see device-p384 4 times"
  grep -q ' restored token=edge ' "$scratch/broker-$type.log" || fail "the broker did not notice the reset"
  kill "${child_pid[broker]}"
  finished broker
done
