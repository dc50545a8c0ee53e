#!/usr/bin/env bash
# Runs tests of HsmTls.Tests on one runtime: unit.sh FRAMEWORK RUNNER-OPTION…
# shellcheck source=tests/dotnet/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
built "HsmTls.Tests-$1"
exec "$program" "${@:2}" -noColor
