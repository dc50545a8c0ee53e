# What the tests of the provider share: stock programs that read an openssl.cnf with "default" and "hsmtls" in it.
#
# ctest calls them with HSMTLS_TEST_PROVIDER (ossl-modules/hsmtls.so), HSMTLS_TEST_CNF (the openssl.cnf that names it),
# HSMTLS_TEST_LIBRARY (libhsmtls.so), HSMTLS_TEST_FRONT (libhsmtls-pkcs11.so), HSMTLS_TEST_CHAOS (the chaos module),
# HSMTLS_TEST_TRAP_MODULE (trap.c) and HSMTLS_TEST_SCRATCH.
# shellcheck shell=bash disable=SC2034

set -euo pipefail
HSMTLS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
here=$HSMTLS_ROOT/tests/provider
# shellcheck source=tests/support/shell_test.sh
. "$HSMTLS_ROOT/tests/support/shell_test.sh"
# shellcheck source=tests/provider/counts.sh
. "$here/counts.sh"
# shellcheck source=tests/provider/keys.sh
. "$here/keys.sh"
# shellcheck source=tests/provider/servers.sh
. "$here/servers.sh"
test_scratch provider

provider=$HSMTLS_TEST_PROVIDER
chaos=$HSMTLS_TEST_CHAOS

# write_config FILE [LINE…]: an openssl.cnf with our provider; LINEs go into its section.
write_config() {
  local file=$1
  shift
  {
    # What openssl req wants, whatever is asked of it.
    printf '[req]\ndistinguished_name = req_dn\n[req_dn]\n[default]\n.include %s\n[hsmtls_provider]\n' "$HSMTLS_TEST_CNF"
    (($# == 0)) || printf '%s\n' "$@"
  } >"$file"
}

# configured COMMAND…: with the provider configured, which reaches the token "edge" through the chaos module:
#   program -> its OpenSSL -> hsmtls.so -> libhsmtls-pkcs11.so -> chaos -> SoftHSM
# Each process writes the PKCS#11 calls that it made to a file of its own (counts.sh). $at_start is the chaos module's
# first script.
at_start=''
configured() {
  local -x OPENSSL_CONF=$scratch/openssl.cnf HSMTLS_CHAOS_MODULE=$vendor HSMTLS_CHAOS_FILE=$scratch/chaos
  local -x HSMTLS_CHAOS_COUNTS=$scratch/counts/%p HSMTLS_CHAOS=$at_start
  "$@"
}

# make_configuration: $scratch/openssl.cnf, as `configured` uses it.
make_configuration() {
  write_config "$scratch/openssl.cnf" "hsmtls-module = $chaos" "hsmtls-pin-source = file:$scratch/pin"
}
