#!/usr/bin/env bash
# Debian's python3-awscrt (AWS CRT, Pkcs11Lib in STRICT mode) against mosquitto; the TLS context lives through it all.
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need mosquitto
need_python awscrt.mqtt python3-awscrt
make_token
make_pki
broker_start "$scratch/broker" "$pki" || fail "no broker"

good='"event": "published"'
bad='"event": "failed"'
for side in "${sides[@]}"; do
  start_signer "$side" "$python" "$HSMTLS_ROOT/examples/python/publish_awscrt.py" \
    --module "$(module_of "$side")" --token edge --key device-key --pin-file "$scratch/pin" --cert "$pki/device.pem" --ca "$pki/ca.pem" \
    --port "$broker_port" --client-id "$side"
done
survives_resets '"event": "failed", "error": ".*CKR_SESSION_HANDLE_INVALID'
survives_removal
signers_end
grep -aq "as front .*u'device-0001'" "$broker_log" || fail "the broker did not see the device's identity"
signed_each_time
