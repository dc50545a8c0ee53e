#!/usr/bin/env bash
# tokens and list; modules, URIs and PINs that are wrong.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token

passes tokens
prints '^TOKEN +SERIAL'
prints '^edge .* ready .*pkcs11:token=edge;serial='
passes tokens --json
json_says "[t for t in d['tokens'] if t['label'] == 'edge'][0]['user_pin_set'] is True"
json_says "d['tokens'][0]['uri'].startswith('pkcs11:token=edge;serial=') and d['tokens'][0]['pin_locked'] is False"
passes tokens --module "$vendor" --json
json_says "{t['module'] for t in d['tokens']} == {'$vendor'}"

printf '%s\n' "-- modules"
refuses 1 "the PKCS#11 module '/nowhere/x.so' cannot be loaded.*No such file" tokens --module /nowhere/x.so
refuses 1 "the PKCS#11 module '.*softhsm2.conf' .*cannot be loaded|not a PKCS#11 module" tokens --module "$scratch/softhsm2.conf"
refuses 1 'is not a PKCS#11 module: it has no C_GetFunctionList' list pkcs11:token=edge --module libcrypto.so.3
json_refuses 1 MODULE_UNUSABLE tokens --module /nowhere/x.so
json_says "d['error']['category'] == 'config'"

printf '%s\n' "-- URIs"
refuses 2 'URI' list token=edge
refuses 2 'URI' list 'pkcs11:token=edge;objekt=x'
json_refuses 2 MALFORMED_URI list 'pkcs11:token=%zz'
refuses 1 "no token is labelled 'egde'.*did you mean 'edge'" list pkcs11:token=egde
json_refuses 1 TOKEN_NOT_FOUND list pkcs11:token=egde
json_says "d['error']['code'] == 204 and d['error']['category'] == 'token' and d['error']['ckr'] is None"

printf '%s\n' "-- what is in it"
passes list pkcs11:token=edge
notes 'nothing in the token fits'
passes keygen 'pkcs11:token=edge;object=device-key;id=%01%ff'
passes list pkcs11:token=edge
prints '^private key +device-key +01ff +EC +local, always sensitive, never extractable$'
prints '^public key +device-key +01ff +EC'
passes list pkcs11:token=edge --json
json_says "[o for o in d['objects'] if o['class'] == 'private key'][0]['always_sensitive'] is True"
json_says "[o['id'] for o in d['objects']] == ['01ff', '01ff'] and d['logged_in'] is True"
passes list 'pkcs11:token=edge;type=public' --json
json_says "[o['class'] for o in d['objects']] == ['public key']"

printf '%s\n' "-- PINs"
unset HSMTLS_PIN_SOURCE
passes list pkcs11:token=edge
! grep -q '^private' "$scratch/out" || fail "private objects without a PIN"
notes 'without a PIN, so no private objects'
calls_are C_Login 0
passes list pkcs11:token=edge --pin-source "file:$scratch/pin"
prints '^private key'
calls_are C_Login 1
MY_PIN=$token_pin passes list pkcs11:token=edge --pin-source env:MY_PIN
prints '^private key'
mkdir "$scratch/credentials"
cp "$scratch/pin" "$scratch/credentials/token"
CREDENTIALS_DIRECTORY=$scratch/credentials passes list pkcs11:token=edge --pin-source credential:token
prints '^private key'
passes list "pkcs11:token=edge?pin-source=file:$scratch/pin"
prints '^private key'
refuses 1 "the PIN file '/nowhere/pin' cannot be read: No such file" list pkcs11:token=edge --pin-source file:/nowhere/pin
refuses 1 "'NO_SUCH_PIN' that should hold the PIN is not set" list pkcs11:token=edge --pin-source env:NO_SUCH_PIN
json_refuses 1 PIN_SOURCE list pkcs11:token=edge --pin-source 31415926-typed-by-mistake
! grep -q 31415926 "$scratch/out" || fail "what may be a PIN was repeated"
refuses 1 'no terminal to ask for it on: say where it is with --pin-source' keygen 'pkcs11:token=edge;object=k2'
calls_are C_Login 0
printf 'wrong-guess' >"$scratch/wrong"
refuses 1 'the token does not take the PIN.*CKR_PIN_INCORRECT' list pkcs11:token=edge --pin-source "file:$scratch/wrong"
calls_are C_Login 1
json_refuses 1 PIN_INCORRECT keygen 'pkcs11:token=edge;object=k2' --pin-source "file:$scratch/wrong"
calls_are C_Login 1
json_says "d['error']['ckr'] == 'CKR_PIN_INCORRECT'"

no_pin_was_shown wrong-guess
