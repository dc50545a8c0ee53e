#!/usr/bin/env bash
# The bytes of a reference PEM are those of pkcs11-provider's format, whoever writes them: our library, the example with
# openssl asn1parse, asn1crypto (which pkcs11-provider's own tool uses), and this test's own encoder.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need openssl
rm -rf "$scratch"
mkdir -p "$scratch"

# same URI
same() {
  local file
  reference_pem "$1" "$scratch/ours.pem"
  "$HSMTLS_ROOT/examples/openssl/reference_pem.sh" "$1" >"$scratch/openssl.pem"
  "$python" "$here/write_reference.py" "$HSMTLS_TEST_LIBRARY" "$1" >"$scratch/library.pem"
  if "$python" -c 'import asn1crypto' 2>/dev/null; then
    "$python" "$here/write_with_asn1crypto.py" "$1" >"$scratch/asn1crypto.pem"
  fi
  for file in openssl library asn1crypto; do
    [[ $file == asn1crypto && ! -e $scratch/asn1crypto.pem ]] || cmp "$scratch/ours.pem" "$scratch/$file.pem" || fail "$file writes something else of $1"
  done
  printf 'same: %s\n' "$1"
}
same 'pkcs11:token=edge;object=device-key;type=private'
cmp "$scratch/ours.pem" - <<'TEXT' || fail "another format"
-----BEGIN PKCS#11 PROVIDER URI-----
ME0aGVBLQ1MjMTEgUHJvdmlkZXIgVVJJIHYxLjAMMHBrY3MxMTp0b2tlbj1lZGdl
O29iamVjdD1kZXZpY2Uta2V5O3R5cGU9cHJpdmF0ZQ==
-----END PKCS#11 PROVIDER URI-----
TEXT
same 'pkcs11:id=%01%ff'
same "pkcs11:token=a%20b;object=it's\$HOME;type=private"
same "pkcs11:token=$(printf 'x%.0s' {1..32});object=$(printf '%%c3%%a4%.0s' {1..60});type=private" # lengths in two bytes
