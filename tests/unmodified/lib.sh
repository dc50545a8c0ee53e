# What the tests with unmodified applications share. Each test runs one application twice: on the bare module and
# through ours, resets the token under both, and asserts that the first fails (and how) and that the second goes on.
#
# ctest calls them with HSMTLS_TEST_FRONT (our module), HSMTLS_TEST_CHAOS (the chaos module), HSMTLS_TEST_BIN (the
# folder of test programs) and HSMTLS_TEST_SCRATCH. Exit status: 0 passed, 77 skipped, anything else failed.
# shellcheck shell=bash disable=SC2034

set -euo pipefail
HSMTLS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
here=$HSMTLS_ROOT/tests/unmodified
# shellcheck source=tests/support/shell_test.sh
. "$HSMTLS_ROOT/tests/support/shell_test.sh"
test_scratch unmodified

front=$HSMTLS_TEST_FRONT
chaos=$HSMTLS_TEST_CHAOS
sides=(bare front)

# need_engine: skips unless OpenSSL finds libp11's engine.
need_engine() { openssl engine pkcs11 >/dev/null 2>&1 || skip "libp11's engine (libengine-pkcs11-openssl) is not installed"; }

# make_token: a fresh token "edge" in $scratch with the P-256 key "device-key" (id 01).
make_token() {
  need softhsm2-util pkcs11-tool
  vendor=$(softhsm_module) || skip "SoftHSM's module is not installed"
  rm -rf "$scratch"
  mkdir -p "$scratch"
  { token_make "$scratch" edge && token_keygen "$scratch" edge device-key 01; } || fail "no token"
  key_uri='pkcs11:token=edge;object=device-key;type=private'
}

# make_pki: $scratch/pki with a CA, a server certificate and device.pem for the key in the token.
make_pki() {
  need openssl
  need_engine
  pki=$scratch/pki
  { pki_make_ca "$pki" && pki_make_server "$pki" &&
    pki_make_device "$pki" 'pkcs11:token=edge;object=device-key' device-0001 "$vendor"; } || fail "no certificates"
}

# module_of SIDE: the module that the application loads.
module_of() { if [[ $1 == bare ]]; then printf '%s' "$chaos"; else printf '%s' "$front"; fi; }

# on SIDE COMMAND…: runs COMMAND on one of the two sides. Both have the chaos module in front of the vendor's:
#   bare:  application -> chaos -> SoftHSM          front: application -> libhsmtls-pkcs11 -> chaos -> SoftHSM
# When it ends, the chaos module writes how often it was called to $scratch/SIDE.counts.
# $PKCS11_MODULE_PATH is the module to load; applications that want it elsewhere use $(module_of SIDE).
on() {
  local side=$1
  shift
  local -x PKCS11_MODULE_PATH HSMTLS_CHAOS_MODULE=$vendor HSMTLS_CHAOS_FILE=$scratch/$side.chaos HSMTLS_MODULE HSMTLS_LOG
  local -x HSMTLS_CHAOS=$at_start HSMTLS_CHAOS_COUNTS=$scratch/$side.counts
  PKCS11_MODULE_PATH=$(module_of "$side")
  HSMTLS_MODULE=$chaos
  HSMTLS_LOG=$scratch/$side.log
  : >"$HSMTLS_CHAOS_FILE"
  "$@"
}

# drop_at FUNCTION: whatever is started from now on loses its sessions just before its first call of FUNCTION.
at_start=''
drop_at() { at_start="drop-sessions-at $1 1"; }

# reset_token SIDE: the sessions of the process that runs on this side are dropped before its next PKCS#11 call.
reset_token() { printf 'drop-sessions\n' >>"$scratch/$1.chaos"; }

# asked NAME PATTERN: the child, asked once more, says PATTERN.
asked() {
  child_say "$1" again
  says "$1" "$2"
}

# The long-lived applications say one line each time they are asked: one that matches $good when the key worked, one
# that matches $bad when it did not.
good='^signed$'
bad='^failed: '
# What the application says of a token that is away, through our module: the truth, in its library's words.
away='[Rr]emoved|REMOVED|[Nn]ot present|NOT_PRESENT|error in (device|token)'

# start_signer SIDE COMMAND…: starts the application of a side and waits for its first line, since SoftHSM lets one
# process at a time log in (another one that reads the token's file meanwhile finds no token).
start_signer() {
  local side=$1
  shift
  on "$side" child_start "$side" "$scratch" "$@"
  says "$side" "$good"
}

# survives_resets BARE: the applications "bare" and "front" run; the token drops all sessions, three times; from then on
# the bare one says BARE and the other one goes on.
survives_resets() {
  local side i
  for side in "${sides[@]}"; do asked "$side" "$good"; done
  for i in 1 2 3; do
    printf -- '-- sessions dropped (%s)\n' "$i"
    for side in "${sides[@]}"; do reset_token "$side"; done
    asked bare "$1"
    asked front "$good"
    asked front "$good"
  done
}

# survives_removal: the token is removed (both fail, honestly and in time) and comes back: the bare one fails for ever,
# the other one goes on. Twice.
survives_removal() {
  local side i
  for i in 1 2; do
    printf -- '-- token removed (%s)\n' "$i"
    token_remove "$scratch"
    asked bare "$bad"
    asked front "$bad.*($away)"
    printf -- '-- token back\n'
    token_return "$scratch"
    asked bare "$bad"
    asked bare "$bad"
    asked front "$good"
    asked front "$good"
  done
}

# signers_end: both end by themselves with status 0.
signers_end() {
  local side
  for side in "${sides[@]}"; do finished "$side"; done
}

# signed_each_time: nothing was resumed; each of the 12 connections of the above took a signature of its own. (The chaos
# module writes its counts when the application ends.)
signed_each_time() {
  local signatures
  signatures=$(sed -n 's/^C_SignInit \([0-9]*\)$/\1/p' "$scratch/front.counts")
  ((signatures >= 12)) || fail "only $signatures signatures for 12 connections"
}

# start_tls_server: an OpenSSL server that demands a client certificate; sets `port`.
start_tls_server() {
  child_start server "$scratch" openssl s_server -accept 127.0.0.1:0 -www -Verify 1 -verify_return_error \
    -CAfile "$pki/ca.pem" -cert "$pki/server.pem" -key "$pki/server.key"
  wait_until 20 grep -q '^ACCEPT .*:[0-9]' "$scratch/server.out" || { cat "$scratch/server.err"; fail "openssl s_server does not start"; }
  port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$scratch/server.out" | head -n 1)
}
