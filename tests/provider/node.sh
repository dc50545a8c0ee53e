#!/usr/bin/env bash
# Node.js: tls and https with a reference PEM. Node reads nodejs_conf, and usually has its OpenSSL in its own binary: the
# provider must bind to that one.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need node
make_token "${key_types[@]}"
make_pki
for type in "${key_types[@]}"; do make_device "$type"; done
start_tls_server

connect=(node "$here/connect.js" "$port" "$pki/ca.pem")
for type in "${key_types[@]}"; do
  for version in TLSv1.2 TLSv1.3; do
    forget_calls
    configured passes "node ($type, $version)" "${connect[@]}" "$version" "$pki/device-$type.pem" "$scratch/device-$type.ref.pem"
    grep -q "CN *= *device-$type" "$output" || { cat "$output"; fail "the server did not see device-$type"; }
    made C_Login 1
    made C_Sign 1
  done
done
# The same by node's own option.
configured passes 'node --openssl-config' env -u OPENSSL_CONF node "--openssl-config=$scratch/openssl.cnf" "${connect[@]:1}" TLSv1.3 \
  "$pki/device-p256.pem" "$scratch/device-p256.ref.pem"

reference_pem 'pkcs11:token=edge;object=device-p25' "$scratch/wrong.ref.pem"
configured refuses 'node, no such key' "hsmtls: no such key: .*did you mean 'device-p256'" "${connect[@]}" TLSv1.3 \
  "$pki/device-p256.pem" "$scratch/wrong.ref.pem"
configured refuses 'node, a certificate for another key' 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' "${connect[@]}" TLSv1.3 \
  "$pki/device-p384.pem" "$scratch/device-p256.ref.pem"
