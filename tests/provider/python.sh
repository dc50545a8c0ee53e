#!/usr/bin/env bash
# Python's own ssl module: load_cert_chain with a reference PEM, before and after _hashlib has loaded the provider (which
# is then bound to libcrypto before there is a libssl in the process).
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_python ssl python3
make_token "${key_types[@]}"
make_pki
for type in "${key_types[@]}"; do make_device "$type"; done
start_tls_server

connect=("$python" "$here/connect.py")
for type in "${key_types[@]}"; do
  for version in 1.2 1.3; do
    forget_calls
    configured passes "python ($type, TLS $version)" "${connect[@]}" "$port" "$pki/ca.pem" "$version" "$pki/device-$type.pem" "$scratch/device-$type.ref.pem"
    grep -q "CN *= *device-$type" "$output" || { cat "$output"; fail "the server did not see device-$type"; }
    made C_Login 1
    made C_Sign 2
  done
done
for order in "$pki/device-p256.pem $scratch/device-p256.ref.pem" "$scratch/device-p256.ref.pem $pki/device-p256.pem"; do
  # shellcheck disable=SC2086  # two names
  cat $order >"$scratch/both.pem"
  configured passes 'python, certificate and reference in one file' "${connect[@]}" "$port" "$pki/ca.pem" 1.3 "$scratch/both.pem"
done
configured passes 'python, hashlib before ssl' env HSMTLS_TEST_HASH_FIRST=1 "${connect[@]}" "$port" "$pki/ca.pem" 1.3 \
  "$pki/device-p256.pem" "$scratch/device-p256.ref.pem"

reference_pem 'pkcs11:token=edge;object=device-p25' "$scratch/wrong.ref.pem"
configured refuses 'python, no such key' "hsmtls: no such key: .*did you mean 'device-p256'" "${connect[@]}" "$port" "$pki/ca.pem" 1.3 \
  "$pki/device-p256.pem" "$scratch/wrong.ref.pem"
grep -q 'ssl.SSLError' "$output" || { cat "$output"; fail "Python was to raise SSLError, not another error"; }
configured refuses 'python, a certificate for another key' 'KEY_VALUES_MISMATCH' "${connect[@]}" "$port" "$pki/ca.pem" 1.3 \
  "$pki/device-p384.pem" "$scratch/device-p256.ref.pem"

printf '%s' "not-$token_pin" >"$scratch/wrong-pin"
write_config "$scratch/openssl.cnf" "hsmtls-module = $chaos" "hsmtls-pin-source = file:$scratch/wrong-pin"
forget_calls
configured refuses 'python, a wrong PIN' "hsmtls: cannot log in to token 'edge'" "${connect[@]}" "$port" "$pki/ca.pem" 1.3 \
  "$pki/device-p256.pem" "$scratch/device-p256.ref.pem"
made C_Login 1
