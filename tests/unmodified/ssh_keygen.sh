#!/usr/bin/env bash
# OpenSSH's ssh-keygen -D prints the same public keys through our module; also when the sessions are lost under it.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need ssh-keygen
make_token

list() {
  on "$1" passes "$2" ssh-keygen -D "$(module_of "$1")"
  grep '^ecdsa-sha2-nistp256 ' "$output" >"$scratch/list.$1" || { cat "$output"; fail "$2: no public key"; }
}
list bare "ssh-keygen -D (bare)"
list front "ssh-keygen -D (front)"
diff "$scratch/list.bare" "$scratch/list.front" || fail "ssh-keygen prints something else through our module"
drop_at C_FindObjectsInit
on bare refuses "ssh-keygen -D, sessions lost (bare)" 'C_FindObjectsInit failed: 179' ssh-keygen -D "$chaos"
list front "ssh-keygen -D, sessions lost (front)"
diff "$scratch/list.bare" "$scratch/list.front" || fail "ssh-keygen prints something else after a reset"
