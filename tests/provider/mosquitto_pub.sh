#!/usr/bin/env bash
# mosquitto_pub --key with a reference PEM, against a broker that demands a certificate and logs whose it was.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need mosquitto mosquitto_pub
make_token "${key_types[@]}"
make_pki
for type in "${key_types[@]}"; do make_device "$type"; done

for version in tlsv1.2 tlsv1.3; do
  broker_start "$scratch/broker" "$pki" "$version" || fail "no broker"
  for type in "${key_types[@]}"; do
    forget_calls
    publish=(mosquitto_pub -h localhost -p "$broker_port" -i "$type" -t devices/test -m hello -q 1 --tls-version "$version" --cafile "$pki/ca.pem")
    configured passes "mosquitto_pub ($type, $version)" "${publish[@]}" --cert "$pki/device-$type.pem" --key "$scratch/device-$type.ref.pem"
    grep -aq "as $type .*u'device-$type'" "$broker_log" || { tail -n 5 "$broker_log"; fail "the broker did not see device-$type"; }
    grep -aq "Received PUBLISH from $type " "$broker_log" || fail "nothing was published"
    made C_Login 1
    made C_Sign 1
  done
  child_end broker
done
broker_start "$scratch/broker" "$pki" || fail "no broker"
publish=(mosquitto_pub -h localhost -p "$broker_port" -i wrong -t devices/test -m hello -q 1 --cafile "$pki/ca.pem")
reference_pem 'pkcs11:token=edge;object=device-p25' "$scratch/wrong.ref.pem"
configured refuses 'mosquitto_pub, no such key' "hsmtls: no such key: .*did you mean 'device-p256'" \
  "${publish[@]}" --cert "$pki/device-p256.pem" --key "$scratch/wrong.ref.pem"
configured refuses 'mosquitto_pub, a certificate for another key' 'A TLS error occurred' \
  "${publish[@]}" --cert "$pki/device-p384.pem" --key "$scratch/device-p256.ref.pem"
