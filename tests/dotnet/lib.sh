# What the tests of the package for .NET share. Sourced by what hsmtls_with_device has started; HSMTLS_TEST_DOTNET is the
# folder in which build.sh has built.
# shellcheck shell=bash disable=SC2154  # scratch
HSMTLS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
export HSMTLS_ROOT
# The device's environment outlives what shell_test.sh clears.
device=$(export -p)
# shellcheck source=tests/support/shell_test.sh
. "$HSMTLS_ROOT/tests/support/shell_test.sh"
eval "$device"
test_scratch dotnet
arguments=$*
scratch+=${arguments:+-${arguments//[^a-zA-Z0-9.]/}}  # several tests may be of one script
rm -rf "$scratch"
# .NET keeps certificate stores in there.
mkdir -p "$scratch/home"
export HOME=$scratch/home DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
DOTNET_ROOT=$(dirname "$(readlink -f "$HSMTLS_TEST_DOTNET_PROGRAM")")
export DOTNET_ROOT

# built NAME: sets `program` to what build.sh has built; skips where it could not.
built() {
  local folder=$HSMTLS_TEST_DOTNET/$1
  [[ ! -e $folder/missing ]] || skip "$(<"$folder/missing")"
  program=$folder/run/${1%-net*}
  [[ -x $program ]] || fail "$program is not built: run the test dotnet.build first"
}
