#!/usr/bin/env bash
# latchset's pkcs11-provider and ours in one openssl.cnf, in both orders: they read the same reference PEMs and the same
# URIs. Where it is named before ours, ours reads the PEMs.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need openssl curl
modules=$(openssl version -m | sed -n 's/^MODULESDIR: "\(.*\)"$/\1/p')
theirs=${HSMTLS_TEST_PKCS11_PROVIDER:-$modules/pkcs11.so}
[[ -e $theirs ]] || skip "pkcs11-provider is not installed (no pkcs11.so in $modules)"
make_token p256 rsa
make_pki
make_device p256
make_device rsa
start_tls_server
url=https://localhost:$port/

# in_order FIRST SECOND: $scratch/openssl.cnf has both.
in_order() {
  write_config "$scratch/openssl.cnf" "hsmtls-module = $chaos" "hsmtls-pin-source = file:$scratch/pin"
  # no-deinit: without it, it crashes at exit over SoftHSM 2.6.1.
  printf '%s\n' '[hsmtls_init]' 'providers = both' '[both]' 'default = hsmtls_default' "$1 = $1_provider" "$2 = $2_provider" \
    '[pkcs11_provider]' "module = $theirs" "pkcs11-module-path = $vendor" "pkcs11-module-token-pin = file:$scratch/pin" \
    'pkcs11-module-quirks = no-deinit' 'activate = 1' >>"$scratch/openssl.cnf"
}
for order in 'hsmtls pkcs11' 'pkcs11 hsmtls'; do
  # shellcheck disable=SC2086  # two names
  in_order $order
  configured passes "openssl list -providers ($order)" openssl list -providers
  for name in default hsmtls pkcs11; do grep -q "^  $name\$" "$output" || { cat "$output"; fail "$name is not loaded"; }; done
  for type in p256 rsa; do
    for key in "$(uri_of "$type")" "$scratch/device-$type.ref.pem"; do
      configured passes "openssl req ($order, $type, ${key##*.})" openssl req -new -key "$key" -subj /CN=device -out "$scratch/device.csr"
      passes 'openssl req -verify without us' openssl req -in "$scratch/device.csr" -verify -noout
    done
    forget_calls
    configured passes "curl ($order, $type)" curl --silent --show-error --cacert "$pki/ca.pem" --cert "$pki/device-$type.pem" \
      --key "$scratch/device-$type.ref.pem" "$url"
    grep -q "CN *= *device-$type" "$output" || { cat "$output"; fail "the server did not see device-$type"; }
    [[ $order == hsmtls* ]] || made C_Sign 1
  done
  configured passes "openssl genpkey ($order)" openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$scratch/soft.key"
done
# Ours, asked first, refuses what theirs would have prompted for.
reference_pem 'pkcs11:token=edge;object=device-p256?pin-value=0000' "$scratch/bad.ref.pem"
configured refuses 'a reference with a PIN (pkcs11 hsmtls)' 'must not say where the PIN is' openssl pkey -in "$scratch/bad.ref.pem" -noout
! grep -q 'Enter' "$output" || fail "somebody prompted"
