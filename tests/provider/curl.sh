#!/usr/bin/env bash
# curl --key with a reference PEM, against a server that demands a client certificate.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl
curl --version | grep -q 'OpenSSL/3' || skip "this curl does not use OpenSSL 3"
make_token "${key_types[@]}"
make_pki
for type in "${key_types[@]}"; do make_device "$type"; done
start_tls_server
url=https://localhost:$port/

for type in "${key_types[@]}"; do
  for version in 1.2 1.3; do
    forget_calls
    configured passes "curl ($type, TLS $version)" curl --silent --show-error --tls-max "$version" --tlsv1.2 --cacert "$pki/ca.pem" \
      --cert "$pki/device-$type.pem" --key "$scratch/device-$type.ref.pem" "$url"
    grep -q "CN *= *device-$type" "$output" || { cat "$output"; fail "the server did not see device-$type"; }
    made C_Login 1
    made C_Sign 1
  done
done
cat "$pki/device-p256.pem" "$scratch/device-p256.ref.pem" >"$scratch/both.pem"
configured passes 'curl, certificate and reference in one file' curl --silent --show-error --cacert "$pki/ca.pem" --cert "$scratch/both.pem" "$url"
forget_calls
configured passes 'curl, two handshakes with one key' curl --silent --show-error --cacert "$pki/ca.pem" --cert "$pki/device-p256.pem" \
  --key "$scratch/device-p256.ref.pem" --no-sessionid --header 'Connection: close' "$url" "$url"
made C_Sign 2

# 58: a problem with the local certificate. curl shows none of OpenSSL's words: ours are on stderr.
reference_pem 'pkcs11:token=edge;object=device-p25' "$scratch/wrong.ref.pem"
configured refuses 'curl, no such key' "hsmtls: no such key: .*did you mean 'device-p256'" curl --silent --show-error --cacert "$pki/ca.pem" \
  --cert "$pki/device-p256.pem" --key "$scratch/wrong.ref.pem" "$url"
grep -q '^curl: (58)' "$output" || { cat "$output"; fail "curl was to blame the local certificate"; }
configured refuses 'curl, a certificate for another key' 'curl: \(58\)' curl --silent --show-error --cacert "$pki/ca.pem" \
  --cert "$pki/device-p384.pem" --key "$scratch/device-p256.ref.pem" "$url"
