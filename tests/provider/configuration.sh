#!/usr/bin/env bash
# The openssl.cnf of docs/provider.md: the system's taken in, with its rules for TLS; and default_properties.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token p256
make_pki
make_device p256
start_tls_server
system=$(openssl version -d | sed 's/^OPENSSLDIR: "\(.*\)"$/\1/')/openssl.cnf
[[ -r $system ]] || skip "this system has no openssl.cnf"

# As documented, with the paths of this test.
documented() {
  sed -n '/^# \/etc\/edge\/openssl.cnf$/,/^```$/p' "$HSMTLS_ROOT/docs/provider.md" | sed '$d' |
    sed -e "s|/etc/ssl/openssl.cnf|$1|" -e "s|/usr/local/share/hsmtls/openssl.cnf|$HSMTLS_TEST_CNF|" \
      -e "s|^hsmtls-module = .*|hsmtls-module = $chaos|" -e "s|file:/etc/edge/pin|file:$scratch/pin|"
}
connect=(-cert "$pki/device-p256.pem" -key "$(uri_of p256)")
documented "$system" >"$scratch/openssl.cnf"
grep -q '^hsmtls-pin-source' "$scratch/openssl.cnf" || fail "docs/provider.md shows no openssl.cnf"
configured passes 'openssl list -providers' openssl list -providers
[[ $(grep -c '^  [a-z]' "$output") == 2 ]] || { cat "$output"; fail "not two providers"; }
fetch "beside the system's" device-p256 "${connect[@]}"
# The system's file has [req]: a request without -subj has the fields that it asks for.
configured passes 'openssl req' openssl req -new -batch -key "$(uri_of p256)" -out "$scratch/device.csr"

# A system that allows nothing older than TLS 1.3.
printf '%s\n' 'openssl_conf = system_init' '[system_init]' 'ssl_conf = system_ssl' '[system_ssl]' 'system_default = system_tls' \
  '[system_tls]' 'MinProtocol = TLSv1.3' >"$scratch/system.cnf"
{ documented "$scratch/system.cnf" && printf '%s\n' '[hsmtls_init]' 'ssl_conf = system_ssl'; } >"$scratch/openssl.cnf"
fetch "under the system's rules, TLS 1.3" device-p256 "${connect[@]}" -tls1_3
configured refuses "under the system's rules, TLS 1.2" 'no protocols available|unsupported protocol|version too low' \
  openssl s_client -connect "localhost:$port" -CAfile "$pki/ca.pem" "${connect[@]}" -no_tls1_3

# with_properties PROPERTIES
with_properties() {
  make_configuration
  printf '%s\n' '[hsmtls_init]' 'alg_section = properties' '[properties]' "default_properties = $1" >>"$scratch/openssl.cnf"
}
with_properties '?provider=default'
fetch 'default_properties that wish' device-p256 "${connect[@]}"
fetch 'default_properties that wish, reference' device-p256 -cert "$pki/device-p256.pem" -key "$scratch/device-p256.ref.pem"
with_properties 'provider=default'
configured refuses 'default_properties that demand' 'Could not (read|open)' openssl pkey -in "$(uri_of p256)" -pubout
