#!/usr/bin/env bash
# An application that reads an openssl.cnf: the engine's section, as docs/front-module.md shows it, names the module and
# the PIN; nothing in the environment does.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need openssl
need_engine
make_token

for side in "${sides[@]}"; do
  sed -n '/^openssl_conf = /,/^MODULE_PATH = /p' "$HSMTLS_ROOT/docs/front-module.md" |
    sed "s|^MODULE_PATH = .*|MODULE_PATH = $(module_of "$side")\nPIN = $token_pin|" >"$scratch/$side.cnf"
  grep -q '^PIN = ' "$scratch/$side.cnf" || fail "docs/front-module.md shows no openssl.cnf"
done
sign=(openssl dgst -engine pkcs11 -keyform engine -sign "$key_uri" -sha256 -out "$scratch/signature" "$scratch/softhsm2.conf")
sign() { on "$1" "${@:2}" env -u PKCS11_MODULE_PATH OPENSSL_CONF="$scratch/$1.cnf" "${sign[@]}"; }

for side in "${sides[@]}"; do sign "$side" passes "openssl dgst ($side)"; done
drop_at C_Sign
sign bare refuses "openssl dgst, sessions lost before C_Sign (bare)" 'Session handle invalid'
sign front passes "openssl dgst, sessions lost before C_Sign (front)"
