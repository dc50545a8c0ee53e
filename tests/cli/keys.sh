#!/usr/bin/env bash
# keygen and delete: every type of key, names that are taken, what fits nothing or too much.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token

printf '%s\n' "-- keygen"
passes keygen 'pkcs11:token=edge;object=k;id=%0a'
prints '^pkcs11:token=edge;serial=[^;]*;object=k;id=%0[aA];type=private$'
for type in ec-p384 ec-p521 rsa-2048 rsa-3072 ed25519; do
  passes keygen "pkcs11:token=edge;object=$type" --type "$type" --json
  json_says "d['type'] == '$type' and 'object=$type' in d['uri']"
done
refuses 1 'already has a private key with this label' keygen 'pkcs11:token=edge;object=k'
json_refuses 1 EXISTS keygen 'pkcs11:token=edge;object=other;id=%0a'
refuses 1 'no token is labelled' keygen 'pkcs11:token=other;object=k'
refuses 2 'type=private, or no type' keygen 'pkcs11:token=edge;object=c;type=cert'

printf '%s\n' "-- delete"
refuses 2 'must have a type' delete 'pkcs11:token=edge;object=k' --yes
calls_are C_Login 0
refuses 2 'URI' delete 'object=k;type=private' --yes
refuses 2 'no terminal to confirm it on: say --yes' delete 'pkcs11:token=edge;object=k;type=private'
calls_are C_DestroyObject 0
json_refuses 1 AMBIGUOUS delete 'pkcs11:token=edge;type=private' --yes
calls_are C_DestroyObject 0
refuses 1 'nothing to remove' delete 'pkcs11:token=edge;object=gone;type=private' --yes
passes delete 'pkcs11:token=edge;object=k;type=private' --yes --json
json_says "d['deleted'] == 'pkcs11:token=edge;object=k;type=private'"
calls_are C_DestroyObject 1
passes list 'pkcs11:token=edge;object=k' --json
json_says "[o['class'] for o in d['objects']] == ['public key']"
no_pin_was_shown
