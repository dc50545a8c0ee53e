#!/usr/bin/env bash
# A long-lived program on Debian's PyKCS11.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_python PyKCS11 python3-pykcs11
make_token

for side in "${sides[@]}"; do
  start_signer "$side" "$python" "$here/sign_with_pykcs11.py" "$(module_of "$side")" edge "$token_pin" device-key
done
survives_resets '^failed: CKR_SESSION_HANDLE_INVALID'
survives_removal
signers_end
