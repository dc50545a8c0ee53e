#!/usr/bin/env bash
# init and pin, without a terminal: each PIN from a source of its own.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
printf '%s' "$token_so_pin" >"$scratch/so-pin"
printf 'Tapir-2342-new' >"$scratch/new-pin"
printf 'wrong-guess' >"$scratch/wrong"
so=(--so-pin-source "file:$scratch/so-pin")

printf '%s\n' "-- pin"
refuses 1 'no new user PIN, and there is no terminal.*--new-pin-source' pin pkcs11:token=edge
refuses 2 'takes several PINs' pin "pkcs11:token=edge?pin-source=file:$scratch/pin"
refuses 1 'the token does not take the PIN' pin pkcs11:token=edge --pin-source "file:$scratch/wrong" --new-pin-source "file:$scratch/new-pin"
calls_are C_SetPIN 1
passes pin pkcs11:token=edge --new-pin-source "file:$scratch/new-pin"
refuses 1 'does not take the PIN' list pkcs11:token=edge
export HSMTLS_PIN_SOURCE=file:$scratch/new-pin
passes list pkcs11:token=edge
printf 'x' >"$scratch/short"
refuses 1 'does not take the new PIN' pin pkcs11:token=edge --new-pin-source "file:$scratch/short"

printf '%s\n' "-- init"
passes keygen 'pkcs11:token=edge;object=k'
for uri in pkcs11: PKCS11: 'pkcs11:model=SoftHSM%20v2' pkcs11:token= edge; do
  refuses 2 'must name the token that is to be erased, by token, serial or slot-id|URI' init "$uri" --label edge --yes "${so[@]}"
  calls_are C_InitToken 0
done
refuses 2 'no terminal to confirm it on: say --yes' init pkcs11:token=edge --label edge "${so[@]}"
refuses 1 'no SO PIN, and there is no terminal.*--so-pin-source' init pkcs11:token=edge --label edge --yes
refuses 1 'does not take the PIN' init pkcs11:token=edge --label edge --yes --so-pin-source "file:$scratch/wrong"
refuses 1 'no token is labelled' init pkcs11:token=other --label edge --yes "${so[@]}"
refuses 2 '1 to 32 bytes' init pkcs11:token=edge --label "$(printf 'x%.0s' {1..33})" --yes "${so[@]}"
passes list pkcs11:token=edge
prints '^private key +k '
passes init pkcs11:token=edge --label renamed --yes "${so[@]}" --json
json_says "d['label'] == 'renamed'"
passes list pkcs11:token=renamed --json
json_says "d['objects'] == []"
refuses 1 'no token is labelled' list pkcs11:token=edge
# SoftHSM has one more slot, whose token is not initialised.
passes tokens --json
slot=$("$python" -c 'import json, sys
print([t["slot_id"] for t in json.load(open(sys.argv[1]))["tokens"] if not t["initialised"]][0])' "$scratch/out")
passes init "pkcs11:slot-id=$slot" --label second --yes "${so[@]}"
passes keygen 'pkcs11:token=second;object=k'
no_pin_was_shown Tapir-2342-new
