#!/usr/bin/env bash
# import: the leaf beside its key, intermediates by their names; certificates that do not fit.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
make_pki
key='pkcs11:token=edge;object=device-key'
passes keygen "$key;id=%01"
passes csr "$key" --subject CN=device-0001 --out "$pki/device.csr"

printf '%s\n' "-- an intermediate authority, and the device's certificate from it"
_openssl "$pki" sub-csr req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=sub CA' -keyout "$pki/sub.key" -out "$pki/sub.csr"
printf '%s\n' basicConstraints=critical,CA:TRUE subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >"$pki/sub.ext"
_openssl "$pki" sub x509 -req -in "$pki/sub.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -CAcreateserial -days 30 -extfile "$pki/sub.ext" -out "$pki/sub.pem"
printf '%s\n' extendedKeyUsage=clientAuth authorityKeyIdentifier=keyid >"$pki/device.ext"
_openssl "$pki" device x509 -req -in "$pki/device.csr" -CA "$pki/sub.pem" -CAkey "$pki/sub.key" -CAcreateserial -days 30 -extfile "$pki/device.ext" \
  -out "$pki/device.pem"
cat "$pki/ca.pem" "$pki/sub.pem" "$pki/device.pem" >"$pki/full.pem"

passes import "$key" --certificate "$pki/full.pem"
prints '^pkcs11:token=edge;serial=[^;]*;object=device-key;id=%01;type=cert$'
notes 'left out: 2 more in the file \(--chain'
passes import "$key" --certificate "$pki/full.pem" --chain --json
json_says "[c['subject'] for c in d['imported']] == ['CN=device-0001', 'CN=sub CA'] and d['left_out'] == 1"
json_says "'object=sub%20CA' in d['imported'][1]['uri'] and 'pin' not in d['imported'][1]['uri']"
passes list 'pkcs11:token=edge;type=cert' --json
json_says "sorted((o['label'], o['issuer']) for o in d['objects']) == [('device-key', 'CN=sub CA'), ('sub CA', 'CN=hsmtls test CA,O=hsmtls test')]"
json_says "[o['id'] for o in d['objects'] if o['label'] == 'device-key'] == ['01']"
passes list 'pkcs11:token=edge;type=cert'
prints '^certificate +device-key +01 +EC P-256 +CN=device-0001, issued by CN=sub CA, until 20'

printf '%s\n' "-- the leaf twice: by itself, and at the head of its chain"
cat "$pki/device.pem" "$pki/device.pem" "$pki/sub.pem" "$pki/sub.pem" >"$pki/twice.pem"
passes import "$key" --certificate "$pki/twice.pem" --chain --json
json_says "[c['subject'] for c in d['imported']] == ['CN=device-0001', 'CN=sub CA'] and d['left_out'] == 0"

printf '%s\n' "-- where the PIN is named in the URI"
unset HSMTLS_PIN_SOURCE
passes import "$key?pin-source=file:$scratch/pin" --certificate "$pki/full.pem" --chain
export HSMTLS_PIN_SOURCE=file:$scratch/pin

printf '%s\n' "-- what does not fit"
refuses 1 "the certificate 'CN=localhost,O=hsmtls test' is not for the key" import "$key" --certificate "$pki/server.pem"
json_refuses 1 CERTIFICATE_MISMATCH import "$key" --certificate "$pki/server.pem"
calls_are C_CreateObject 0
json_refuses 1 KEY_NOT_FOUND import 'pkcs11:token=edge;object=other' --certificate "$pki/device.pem"
refuses 1 "cannot read the certificate file '/nowhere.pem': No such file" import "$key" --certificate /nowhere.pem
refuses 1 'holds no certificate, neither as PEM nor as DER' import "$key" --certificate "$pki/device.csr"
sed '3s/./!/g' "$pki/device.pem" >"$pki/broken.pem"
json_refuses 1 CERTIFICATE_MALFORMED import "$key" --certificate "$pki/broken.pem"
cat "$pki/device.pem" "$pki/server.pem" >"$pki/two.pem"
json_refuses 1 CHAIN_BROKEN import "$key" --certificate "$pki/two.pem"

printf '%s\n' "-- DER, and a certificate without a key"
openssl x509 -in "$pki/ca.pem" -outform der -out "$pki/ca.der"
passes import 'pkcs11:token=edge;object=root;id=%ca;type=cert' --certificate "$pki/ca.der"
passes list 'pkcs11:token=edge;object=root;type=cert' --json
json_says "d['objects'][0]['id'] == 'ca'"

printf '%s\n' "-- a curve that is not NIST's"
_openssl "$pki" brainpool req -x509 -newkey ec -pkeyopt ec_paramgen_curve:brainpoolP256r1 -nodes -days 30 -subj /CN=brainpool \
  -keyout "$pki/brainpool.key" -out "$pki/brainpool.pem"
passes import 'pkcs11:token=edge;object=brainpool;id=%cb;type=cert' --certificate "$pki/brainpool.pem"
passes list 'pkcs11:token=edge;object=brainpool'
prints '^certificate +brainpool +cb +EC brainpoolP256r1 '
no_pin_was_shown
