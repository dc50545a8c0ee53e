#!/usr/bin/env bash
# curl --engine pkcs11: a handshake, and one whose sessions are lost just before the signature.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl openssl
need_engine
curl --engine list 2>/dev/null </dev/null | grep -q . || skip "this curl has no engines"
make_token
make_pki
start_tls_server

fetch=(curl --silent --show-error --engine pkcs11 --key-type ENG --key "$key_uri?pin-value=$token_pin"
  --cert "$pki/device.pem" --cacert "$pki/ca.pem" "https://localhost:$port/")
for side in "${sides[@]}"; do on "$side" passes "curl ($side)" "${fetch[@]}"; done
for function in C_SignInit C_Sign; do
  drop_at "$function"
  on bare refuses "curl, sessions lost before $function (bare)" 'Session handle invalid' "${fetch[@]}"
  on front passes "curl, sessions lost before $function (front)" "${fetch[@]}"
  grep -q 'CN *= *device-0001' "$output" || fail "the server did not see the device's certificate"
done
