#!/usr/bin/env bash
# doctor: on a healthy set-up, and on broken ones.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
make_pki
make_device device-key
make_device rsa-key --type rsa-2048
key='pkcs11:token=edge;object=device-key'

# finds STATUS STEP WHAT ARGUMENT…: doctor ends with STATUS (1, 2: something failed), and STEP is WHAT.
finds() {
  local wanted=$1 step=$2 what=$3
  shift 3
  hsmtls doctor "$@" --json
  ((status == wanted)) || { _show; fail "was to end with $wanted, not $status: hsmtls doctor $*"; }
  json_says "'$what' in [s['status'] for s in d['steps'] if s['step'] == '$step']"
  json_says "d['healthy'] is ($wanted == 0)"
}
# only_fails STEP: in the last run.
only_fails() { json_says "{s['step'] for s in d['steps'] if s['status'] == 'failed'} == {'$1'}"; }

printf '%s\n' "-- healthy"
start_tls_server server -www
passes doctor "$key" --connect "localhost:$port" --ca "$pki/ca.pem"
for line in 'openssl +hsmtls [0-9.]+, OpenSSL 3' 'module-file +' 'module +.* loads' "token +'edge' \\(serial" 'pin-source +HSMTLS_PIN_SOURCE' \
  'login +' 'key +EC P-256: pkcs11:' 'key-local +was generated in the token' 'key-sensitive +' 'key-extractable +was never' 'public-half +' \
  'signature +ecdsa_secp256r1_sha256 \(TLS 1.2 and 1.3\), by CKM_ECDSA in [0-9.]+ ms' 'certificate +CN=device-key,O=hsmtls test, for this key' \
  'certificate-chain +' 'certificate-dates +valid until' 'certificate-purpose +a TLS client' 'certificate-usage +may sign' \
  'handshake +localhost port [0-9]+: TLSv1.3' 'client-certificate +the server asked, we signed \(ECDSA with SHA256\)'; do
  prints "^✓ $line"
done
! grep -qE '^[✗-] ' "$scratch/out" || fail "something failed"
finds 0 handshake ok 'pkcs11:token=edge;object=rsa-key' --connect "localhost:$port" --ca "$pki/ca.pem"
json_says "[s['message'].split(' (')[0] for s in d['steps'] if s['step'] == 'signature'] == ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256']"
HSMTLS_CHAOS='fail C_SignInit 1 CKR_MECHANISM_INVALID' passes doctor 'pkcs11:token=edge;object=rsa-key'
prints '^✓ signature +rsa_pss_rsae_sha256 .*by CKM_RSA_X_509'
HSMTLS_CHAOS="fail C_SignInit * CKR_MECHANISM_INVALID" finds 1 signature failed "$key"

printf '%s\n' "-- the module"
finds 1 module-file failed "$key" --module /nowhere/x.so
only_fails module-file
finds 1 module failed "$key" --module "$scratch/softhsm2.conf"
only_fails module

printf '%s\n' "-- the URI and the token"
finds 2 uri failed 'pkcs11:token=%zz'
only_fails uri
finds 2 uri failed edge
finds 1 token failed 'pkcs11:token=egde;object=device-key'
json_says "'did you mean' in [s['message'] for s in d['steps'] if s['step'] == 'token'][0]"

printf '%s\n' "-- the PIN"
finds 1 pin-source failed "$key" --pin-source file:/nowhere/pin
only_fails pin-source
calls_are C_Login 0
printf 'wrong-guess' >"$scratch/wrong"
finds 1 login failed "$key" --pin-source "file:$scratch/wrong"
only_fails login
calls_are C_Login 1
finds 0 token-state warning "$key"

printf '%s\n' "-- the key and the certificate"
finds 1 key failed 'pkcs11:token=edge;object=device-kez'
only_fails key
passes keygen 'pkcs11:token=edge;object=bare'
finds 1 certificate failed 'pkcs11:token=edge;object=bare'
only_fails certificate
json_says "[s['status'] for s in d['steps'] if s['step'] == 'signature'] == ['ok']"
finds 1 certificate failed "$key" --certificate "$pki/server.pem"
passes csr "$key" --subject CN=device --out "$pki/as-server.csr"
_pki_sign "$pki" as-server keyUsage=critical,keyAgreement extendedKeyUsage=serverAuth
finds 1 certificate-purpose failed "$key" --certificate "$pki/as-server.pem"
json_says "'failed' in [s['status'] for s in d['steps'] if s['step'] == 'certificate-usage']"
_openssl "$pki" expired x509 -req -in "$pki/device-key.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -CAcreateserial -days -1 -out "$pki/expired.pem"
finds 1 certificate-dates failed "$key" --certificate "$pki/expired.pem"
only_fails certificate-dates

printf '%s\n' "-- the handshake"
child_end server
finds 1 handshake failed "$key" --connect "localhost:$port" --ca "$pki/ca.pem"
only_fails handshake
finds 1 handshake skipped 'pkcs11:token=edge;object=bare' --connect "localhost:$port"

printf '%s\n' "-- what stock programs see"
export OPENSSL_MODULES=$HSMTLS_TEST_PROVIDERS
printf '%s\n' 'openssl_conf = all' '[all]' 'providers = providers' '[providers]' 'default = its_default' 'hsmtls = ours' '[its_default]' 'activate = 1' \
  '[ours]' 'activate = 1' >"$scratch/openssl.cnf"
OPENSSL_CONF=$scratch/openssl.cnf finds 0 openssl-cnf ok "$key"
json_says "'ok' in [s['status'] for s in d['steps'] if s['step'] == 'stock-programs']"
no_pin_was_shown wrong-guess
