#!/usr/bin/env bash
# What is asked on the terminal: PINs without echo, confirmations by typing; Ctrl-C; a wrong PIN is sent once.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
unset HSMTLS_PIN_SOURCE
export edge=edge right=$token_pin so=$token_so_pin wrong=wrong-guess new=Tapir-2342-new label=device-key fresh=fresh other=no none=''
export TERM=xterm

# asked STATUS STEP… -- ARGUMENT…: hsmtls on a terminal ends with STATUS; what that showed is in $scratch/err.
asked() {
  local wanted=$1 status=0
  shift
  local -a steps=()
  while [[ $1 != -- ]]; do
    steps+=("$1")
    shift
  done
  shift
  rm -f "$HSMTLS_CHAOS_COUNTS"
  "$python" "$here/on_a_terminal.py" "$scratch/err" "${steps[@]}" -- "$HSMTLS_TEST_COMMAND" "$@" >"$scratch/out" || status=$?
  cat "$scratch/out" "$scratch/err" >>"$scratch/all"
  printf '%s\n' "hsmtls $* -> $status"
  ((status == wanted)) || { _show; fail "was to end with $wanted, not $status: hsmtls $*"; }
}
pin_asked=("expect:PIN of token 'edge': " silent)

printf '%s\n' "-- the PIN is asked for once, where it is needed"
asked 0 "${pin_asked[@]}" type:right unseen:right -- keygen "pkcs11:token=edge;object=$label"
prints '^pkcs11:token=edge'
calls_are C_Login 1
asked 0 -- tokens
calls_are C_Login 0
asked 0 -- list pkcs11:token=edge --pin-source "file:$scratch/pin"
prints '^private key'
HSMTLS_PIN_SOURCE=file:$scratch/pin asked 0 -- list pkcs11:token=edge
asked 0 -- list "pkcs11:token=edge?pin-source=file:$scratch/pin"
asked 0 "${pin_asked[@]}" type:right -- list pkcs11:token=edge --json
"$python" -m json.tool "$scratch/out" >/dev/null || fail "what was asked is in the JSON"
asked 0 "${pin_asked[@]}" type:right -- pem "pkcs11:token=edge;object=$label" --out "$scratch/key.pem"

printf '%s\n' "-- a wrong one is not sent twice, nor asked for again"
asked 1 "${pin_asked[@]}" type:wrong -- list pkcs11:token=edge
calls_are C_Login 1
notes 'the token does not take the PIN'
asked 1 "${pin_asked[@]}" type:wrong -- doctor "pkcs11:token=edge;object=$label"
calls_are C_Login 1
asked 0 "${pin_asked[@]}" type:none -- list pkcs11:token=edge
calls_are C_Login 0
notes 'without a PIN, so no private objects: none was typed'
asked 0 "${pin_asked[@]}" type:none -- list pkcs11:token=edge --json
"$python" -c 'import json, sys; sys.exit(json.load(sys.stdin)["logged_in"])' <"$scratch/out" || fail "logged in without a PIN"

printf '%s\n' "-- ended while it asks: the terminal is as before"
asked 130 "${pin_asked[@]}" key:INT -- list pkcs11:token=edge
asked 1 "${pin_asked[@]}" key:EOF -- list pkcs11:token=edge
notes 'no PIN was typed; nothing was done'

printf '%s\n' "-- what cannot be undone is confirmed by its name"
delete=(delete "pkcs11:token=edge;object=$label;type=private")
confirming=("expect:will be gone for good." "expect:Type $label to go on: " echoing)
asked 1 "${pin_asked[@]}" type:right "${confirming[@]}" type:other -- "${delete[@]}"
calls_are C_DestroyObject 0
notes 'not confirmed; nothing was done'
asked 0 "${pin_asked[@]}" type:right "${confirming[@]}" type:label -- "${delete[@]}"
calls_are C_DestroyObject 1

printf '%s\n' "-- a new PIN is typed twice"
changing=('expect:present user PIN: ' silent type:right 'expect:new user PIN: ' silent type:new 'expect:once more: ' silent)
asked 1 "${changing[@]}" type:wrong -- pin pkcs11:token=edge
notes 'the two PINs differ; nothing was done'
calls_are C_SetPIN 0
asked 0 "${changing[@]}" type:new -- pin pkcs11:token=edge
calls_are C_SetPIN 1

printf '%s\n' "-- a token is erased after its own name was typed"
erasing=("expect:Everything in the token 'edge' (serial " 'expect:will be gone for good' 'expect:Type edge to go on: ')
pins=('expect:SO PIN: ' silent type:so 'expect:new user PIN: ' type:right 'expect:once more: ' type:right)
asked 1 "${erasing[@]}" type:fresh -- init pkcs11:token=edge --label fresh
calls_are C_InitToken 0
asked 0 "${erasing[@]}" type:edge "${pins[@]}" -- init pkcs11:token=edge --label fresh
asked 1 -- init pkcs11:token=other --label fresh
notes "no token is labelled 'other'"
slot=$(HSMTLS_PIN_SOURCE='' "$HSMTLS_TEST_COMMAND" tokens --json | "$python" -c 'import json, sys
print([t["slot_id"] for t in json.load(sys.stdin)["tokens"] if not t["initialised"]][0])')
asked 0 "expect:The token in slot $slot is not initialised; it will be, as 'edge'." 'expect:Type edge to go on: ' type:edge "${pins[@]}" -- \
  init "pkcs11:slot-id=$slot" --label edge

printf '%s\n' "-- a sign of life for what takes over a second"
HSMTLS_CHAOS='delay C_GenerateKeyPair 1200ms' asked 0 'expect:generating ec-p256 in the token' -- \
  keygen 'pkcs11:token=edge;object=slow' --pin-source "file:$scratch/pin"

printf '%s\n' "-- colours for a terminal, unless NO_COLOR"
asked 1 -- list pkcs11:token=egde
grep -q $'\e\\[31mhsmtls:' "$scratch/err" || fail "no colour"
NO_COLOR=1 asked 1 -- list pkcs11:token=egde
! grep -q $'\e' "$scratch/err" || fail "colour although NO_COLOR is set"
no_pin_was_shown "$new" "$wrong"
