#!/usr/bin/env bash
# GnuTLS's own tools with --provider: p11tool lists the same, signs, and gnutls-cli connects; also when the sessions are
# lost between C_SignInit and C_Sign, where GnuTLS has no second try of its own.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need p11tool gnutls-cli
make_token
make_pki
start_tls_server
export GNUTLS_PIN=$token_pin

# Objects come in no particular order.
list() {
  on "$1" passes "p11tool --list-all ($1)" p11tool --provider "$(module_of "$1")" --login --list-all pkcs11:token=edge
  grep -v '^Object ' "$output" | sort >"$scratch/list.$1"
}
for side in "${sides[@]}"; do list "$side"; done
grep -q 'object=device-key;type=private' "$scratch/list.bare" || fail "p11tool does not see the key"
diff "$scratch/list.bare" "$scratch/list.front" || fail "p11tool lists something else through our module"

sign() { p11tool --provider "$(module_of "$1")" --login --test-sign 'pkcs11:token=edge;object=device-key'; }
connect() {
  gnutls-cli --provider "$(module_of "$1")" --x509keyfile "$key_uri" --x509certfile "$pki/device.pem" \
    --x509cafile "$pki/ca.pem" --port "$port" localhost
}
export -f sign connect module_of
export chaos front key_uri pki port

for side in "${sides[@]}"; do
  on "$side" passes "p11tool --test-sign ($side)" bash -c "sign $side"
  on "$side" passes "gnutls-cli ($side)" bash -c "connect $side"
done
drop_at C_Sign
on bare refuses "p11tool --test-sign, sessions lost (bare)" 'Cannot sign data' bash -c "sign bare"
on front passes "p11tool --test-sign, sessions lost (front)" bash -c "sign front"
on bare refuses "gnutls-cli, sessions lost (bare)" 'PKCS #11 error' bash -c "connect bare"
on front passes "gnutls-cli, sessions lost (front)" bash -c "connect front"
grep -q 'Handshake was completed' "$output" || fail "gnutls-cli through our module did not complete the handshake"
