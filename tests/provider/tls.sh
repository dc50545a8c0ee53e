#!/usr/bin/env bash
# openssl s_client and s_server with a key in the token: each type of key, TLS 1.2 and 1.3, the key named by URI and by
# reference PEM. One handshake costs one login and one signature.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token "${key_types[@]}"
make_pki
for type in "${key_types[@]}"; do make_device "$type"; done
start_tls_server

for type in "${key_types[@]}"; do
  for version in tls1_2 tls1_3; do
    for key in "$(uri_of "$type")" "$scratch/device-$type.ref.pem"; do
      forget_calls
      fetch "openssl s_client ($type, $version, ${key##*.})" "device-$type" -cert "$pki/device-$type.pem" -key "$key" "-$version"
      made C_Sign 1
      made C_Login 1
    done
  done
done
# Certificate and reference in one file, in either order.
for order in "$pki/device-p256.pem $scratch/device-p256.ref.pem" "$scratch/device-p256.ref.pem $pki/device-p256.pem"; do
  # shellcheck disable=SC2086  # two names
  cat $order >"$scratch/both.pem"
  fetch "openssl s_client, both in one file" device-p256 -cert "$scratch/both.pem" -key "$scratch/both.pem"
done
child_end server

for type in "${key_types[@]}"; do
  make_token_server "$type"
  forget_calls
  # Two connections, and it ends by itself.
  configured child_start "server-$type" "$scratch" openssl s_server -accept 127.0.0.1:0 -naccept 2 -no_ticket \
    -cert "$pki/token-server-$type.pem" -key "$scratch/device-$type.ref.pem"
  wait_for_port "server-$type"
  for version in tls1_2 tls1_3; do
    passes "openssl s_client without us, s_server ($type, $version)" openssl s_client -connect "localhost:$port" -CAfile "$pki/ca.pem" \
      -verify_return_error -verify_hostname localhost "-$version"
  done
  finished "server-$type"
  made C_Sign 2
done
