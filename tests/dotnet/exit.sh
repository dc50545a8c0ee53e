#!/usr/bin/env bash
# A process ends with status 0 although nothing is disposed and threads go on signing, on each runtime and in both ways.
# shellcheck source=tests/dotnet/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
built "HsmTls.Tests-$1"
for ((i = 0; i < 6; i++)); do
  passes "Main returns, $i" "$program" program end-while-signing return
  passes "Environment.Exit, $i" "$program" program end-while-signing exit
done
