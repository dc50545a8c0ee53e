#!/usr/bin/env bash
# Builds the tests and the examples in HSMTLS_TEST_DOTNET, with the package from HSMTLS_TEST_NUGET as anybody would use it.
# What needs a package that cannot be had is not built; why is in NAME/missing, and its tests are skipped.
set -euo pipefail
HSMTLS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
here=$HSMTLS_ROOT/tests/dotnet
# shellcheck source=scripts/lib/dotnet.sh
. "$HSMTLS_ROOT/scripts/lib/dotnet.sh"
dotnet_setup "$HSMTLS_TEST_DOTNET" "$HSMTLS_TEST_PACKAGES" "$HSMTLS_TEST_NUGET"

# build NAME PROJECT OPTION…: what is to be run is in NAME/run. A package that is not there is no failure.
build() {
  local folder=$HSMTLS_TEST_DOTNET/$1 why
  local log=$folder.log
  printf '%s\n' "$1"
  rm -f "$folder/missing"
  dotnet_build "$folder" "${@:2}" && return 0
  why=$(sed -nE 's/.*(NU(1101|1102|1202|1301|1603): [^[]*).*/\1/p' "$log" | sed 's/\. .*//' | head -n 1)
  [[ -n $why ]] || { sort -u "$log" | head -n 40; exit 1; }
  printf '%s cannot be built (%s)\n' "$1" "$why" | tee "$folder/missing"
}

for framework in net10.0 net9.0 net8.0; do
  build "HsmTls.Tests-$framework" "$here/HsmTls.Tests.csproj" --framework "$framework"
done
build quick_start "$HSMTLS_ROOT/examples/dotnet/quick_start.cs"
build publish_mqttnet "$HSMTLS_ROOT/examples/dotnet/publish_mqttnet.cs"
build send_azure_iot "$HSMTLS_ROOT/examples/dotnet/send_azure_iot.cs"
