#!/usr/bin/env bash
# A long-lived program on GnuTLS. GnuTLS opens a new session by itself when a session is lost before C_SignInit, so
# dropped sessions alone do not stop it on the bare module; a token that was away does.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_python 'ctypes; ctypes.CDLL("libgnutls.so.30")' libgnutls30
make_token

for side in "${sides[@]}"; do
  start_signer "$side" "$python" "$here/sign_with_gnutls.py" "$(module_of "$side")" "$key_uri" "$token_pin"
done
survives_resets '^signed$'
survives_removal
signers_end
