#!/usr/bin/env bash
# PIN sources: those that the library reads for a login, and those that the command reads itself (of init, of pin, and to
# see whether they can be read) are the same ones.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
passes keygen 'pkcs11:token=edge;object=k'
unset HSMTLS_PIN_SOURCE
export MY_PIN=$token_pin CREDENTIALS_DIRECTORY=$scratch/credentials
mkdir "$CREDENTIALS_DIRECTORY"
cp "$scratch/pin" "$CREDENTIALS_DIRECTORY/token"
: >"$scratch/empty"
printf 'x%.0s' {1..1024} >"$scratch/longest"
printf 'x%.0s' {1..1025} >"$scratch/too-long"
mkfifo "$scratch/fifo"

# reads SOURCE / reads_not SOURCE: list (the library) and doctor (the command) agree.
reads() {
  passes list pkcs11:token=edge --pin-source "$1"
  prints '^private key'
  passes doctor 'pkcs11:token=edge;object=k' --certificate "$scratch/k.pem" --pin-source "$1" --json
  json_says "[s['status'] for s in d['steps'] if s['step'] == 'pin-source'] == ['ok']"
}
reads_not() {
  json_refuses 1 PIN_SOURCE list pkcs11:token=edge --pin-source "$1"
  calls_are C_Login 0
  hsmtls doctor 'pkcs11:token=edge;object=k' --pin-source "$1" --json
  json_says "[s['status'] for s in d['steps'] if s['step'] == 'pin-source'] == ['failed']"
  calls_are C_Login 0
  json_refuses 1 PIN_SOURCE init pkcs11:token=edge --label edge --yes --so-pin-source "$1"
  calls_are C_InitToken 0
}

passes csr 'pkcs11:token=edge;object=k' --subject CN=k --out "$scratch/k.csr" --pin-source "file:$scratch/pin"
make_pki
cp "$scratch/k.csr" "$pki/k.csr"
_pki_sign "$pki" k keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth || fail "the CA does not sign"
cp "$pki/k.pem" "$scratch/k.pem"

for source in "file:$scratch/pin" "file://$scratch/pin" "file://localhost$scratch/pin" "FILE:$scratch/pin" "$scratch/pin" env:MY_PIN \
  ENV:MY_PIN credential:token; do
  reads "$source"
done
for source in file:pin "file:/$scratch/pin" "file://elsewhere$scratch/pin" file:/nowhere "file:$scratch" "file:$scratch/fifo" \
  "file:$scratch/empty" "file:$scratch/too-long" env: env:NO_SUCH_PIN env:1 credential: credential:.. credential:../pin credential:none \
  '|cat' http://host/pin none; do
  reads_not "$source"
done
# Read by both, and no PIN of this token's.
json_refuses 1 PIN_INCORRECT list pkcs11:token=edge --pin-source "file:$scratch/longest"
hsmtls doctor 'pkcs11:token=edge;object=k' --pin-source "file:$scratch/longest" --json
json_says "[s['status'] for s in d['steps'] if s['step'] == 'pin-source'] == ['ok']"
no_pin_was_shown
