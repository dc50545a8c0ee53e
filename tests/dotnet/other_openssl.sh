#!/usr/bin/env bash
# Which OpenSSL is used is .NET's own affair: hsmtls uses the same copy, whichever that is; and where something else in the
# process has made it use another, it says so instead of handing over a key that would end the process.
# shellcheck source=tests/dotnet/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
built HsmTls.Tests-net10.0
# The system's code under other names; .NET looks for libssl.so.WORD.
ln -s "$HSMTLS_TEST_OTHER_OPENSSL/libssl.oo.3" "$scratch/libssl.so.oo"
on_other=(env DOTNET_OPENSSL_VERSION_OVERRIDE=oo LD_LIBRARY_PATH="$scratch:$HSMTLS_TEST_OTHER_OPENSSL" "$program")

passes 'the usual copy' "$program" program where
grep -qF '/libcrypto.so.3' "$output" || fail "that is not the system's OpenSSL: $(<"$output")"
passes 'the copy that .NET was told to use' "${on_other[@]}" program where
grep -qF '/libcrypto.oo.3' "$output" || fail "that is not the other OpenSSL: $(<"$output")"
! grep -qF '.so.3' "$output" || fail "the system's OpenSSL is used, too: $(<"$output")"
passes 'another one than that of .NET' "${on_other[@]}" program where-another-was-bound libssl.so.3
cat "$output"
grep -q '^OPENSSL_FOREIGN: ' "$output" || fail "it was to be OPENSSL_FOREIGN"
grep -F '.so.3' "$output" | grep -qF '.oo.3' || fail "it was to name both"
