#!/usr/bin/env bash
# A long-lived OpenSSL program that has its key from the stock libp11 engine.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need openssl
need_engine
[[ -x $HSMTLS_TEST_BIN/sign_with_engine ]] || skip "sign_with_engine was not built (OpenSSL's headers are missing)"
make_token

for side in "${sides[@]}"; do start_signer "$side" "$HSMTLS_TEST_BIN/sign_with_engine" "$key_uri?pin-value=$token_pin"; done
survives_resets '^failed: .*Session handle invalid'
survives_removal
signers_end
