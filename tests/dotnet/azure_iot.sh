#!/usr/bin/env bash
# The example for azure-iot-sdk-csharp builds against the SDK as it is. It is not run: the SDK knows port 8883 alone.
# shellcheck source=tests/dotnet/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
built send_azure_iot
