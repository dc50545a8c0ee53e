#!/usr/bin/env bash
# pem: a reference that fits one key, checked in the token; what must not be in it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
key='pkcs11:token=edge;object=device-key'
passes keygen "$key"

passes pem "$key" --out "$scratch/key.pem"
notes "a reference to $key, which fits one key: pkcs11:token=edge;serial="
[[ $(head -n 1 "$scratch/key.pem") == '-----BEGIN PKCS#11 PROVIDER URI-----' ]] || fail "not a reference PEM"
openssl asn1parse -in "$scratch/key.pem" >"$scratch/text"
grep -qF "$key" "$scratch/text" || { cat "$scratch/text"; fail "the URI is not in it as it was typed"; }
passes pem "$key" --out -
cmp "$scratch/out" "$scratch/key.pem" || fail "stdout has another PEM"
passes pem "$key" --out - --json
json_says "d['uri'] == '$key' and d['key_uri'].startswith('pkcs11:token=edge;serial=') and d['pem'] == open('$scratch/key.pem').read()"

printf '%s\n' "-- where the PIN is serves the check, and is not in the file"
unset HSMTLS_PIN_SOURCE
passes pem "$key?pin-source=file:$scratch/pin" --out "$scratch/other.pem"
cmp "$scratch/other.pem" "$scratch/key.pem" || fail "another PEM"
refuses 2 'must not say where the PIN is' pem "$key?pin-source=file:$scratch/pin" --no-check --out -
export HSMTLS_PIN_SOURCE=file:$scratch/pin

printf '%s\n' "-- nothing is written for what fits nothing"
json_refuses 1 KEY_NOT_FOUND pem 'pkcs11:token=edge;object=other' --out "$scratch/none.pem"
[[ ! -e $scratch/none.pem ]] || fail "it was written"
refuses 2 'URI|type' pem 'pkcs11:token=edge;type=cert' --out -
HSMTLS_MODULE=/nowhere.so passes pem 'pkcs11:token=elsewhere;object=k' --no-check --out "$scratch/none.pem"
[[ -s $scratch/none.pem ]] || fail "it was not written"
json_refuses 1 FILE_UNREADABLE pem "$key" --out /nowhere/key.pem
no_pin_was_shown
