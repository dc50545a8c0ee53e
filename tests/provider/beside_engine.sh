#!/usr/bin/env bash
# libp11's engine and our provider in one process, each with a key of the same token: an openssl s_server with two
# certificates. The engine on our module (then both share one login), and on the vendor's own. An engine that a program
# has made its default takes every key from every provider, in OpenSSL 3: that is said.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need openssl
openssl engine pkcs11 >/dev/null 2>&1 || skip "libp11's engine (libengine-pkcs11-openssl) is not installed"
make_token p256 rsa
make_pki
make_token_server p256
make_token_server rsa

# with_engine MODULE COMMAND…: libp11 finds MODULE.
with_engine() {
  local -x PKCS11_MODULE_PATH=$1 HSMTLS_MODULE=$chaos
  configured "${@:2}"
}
engine_key="$(uri_of p256)?pin-source=$(token_pin_source "$scratch")"

# serve TITLE MODULE: the P-256 key by the engine, the RSA key by us; two handshakes with each.
serve() {
  local try cipher
  forget_calls
  with_engine "$2" child_start server "$scratch" openssl s_server -accept 127.0.0.1:0 -naccept 4 -no_ticket \
    -cert "$pki/token-server-p256.pem" -key "org.openssl.engine:pkcs11:$engine_key" \
    -dcert "$pki/token-server-rsa.pem" -dkey "$scratch/device-rsa.ref.pem"
  wait_for_port server
  for try in 1 2; do
    for cipher in ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256; do
      passes "openssl s_client, $1 ($cipher, $try)" openssl s_client -connect "localhost:$port" -CAfile "$pki/ca.pem" \
        -verify_return_error -verify_hostname localhost -tls1_2 -cipher "$cipher"
    done
  done
  finished server
}
serve 'engine on our module' "$HSMTLS_TEST_FRONT"
made C_Sign 4
made C_Initialize 1
serve "engine on the vendor's" "$vendor"
made C_Sign 2

for type in p256 rsa; do
  with_engine "$HSMTLS_TEST_FRONT" refuses "openssl -engine, which makes it the default ($type)" 'an OpenSSL engine is the default for' \
    openssl dgst -engine pkcs11 -sha256 -sign "$scratch/device-$type.ref.pem" -out "$scratch/signature" "$scratch/openssl.cnf"
done
