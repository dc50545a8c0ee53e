#!/usr/bin/env bash
# ClientWebSocket, to mosquitto's listener for web sockets.
# shellcheck source=tests/dotnet/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
built HsmTls.Tests-net10.0
need mosquitto
# mosquitto 2.0.11 does not start with nothing but a listener for web sockets.
broker_start "$scratch/broker" "$HSMTLS_TEST_FOLDER" '' 'protocol websockets' "listener 0 $scratch/socket" || fail "no broker"
for key in ec rsa; do
  passes "wss as device-$key" "$program" program websocket "$key" "wss://localhost:$broker_port/mqtt"
  grep -qx Open "$output" || fail "it is not open: $(<"$output")"
done
