#!/usr/bin/env bash
# nginx as a server whose key is in the token (ssl_certificate_key names a reference PEM): two workers, a reload, and the
# token's sessions dropped under them; the same master serves through it all.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need nginx curl
make_token p256 rsa p384
make_pki
make_token_server p256
make_token_server rsa
make_device p384
forget_calls
export HSMTLS_LOG=$scratch/hsmtls.log

start_nginx "ssl_certificate $pki/token-server-p256.pem;" "ssl_certificate_key $scratch/device-p256.ref.pem;" \
  "ssl_certificate $pki/token-server-rsa.pem;" "ssl_certificate_key $scratch/device-rsa.ref.pem;" \
  "ssl_client_certificate $pki/ca.pem;" 'ssl_verify_client optional;' \
  "location / { return 200 'served by \$pid for \$ssl_client_s_dn\n'; }"

declare -A served=()
# get OPTION…: one handshake; notes which worker served it.
get() {
  passes "curl" curl --silent --show-error --cacert "$pki/ca.pem" "$@" "https://localhost:$port/" >"$scratch/get.log"
  worker=$(sed -n 's/^served by \([0-9]*\) .*/\1/p' "$output")
  [[ -n $worker ]] || { cat "$output"; fail "that is not our server"; }
  served[$worker]=1
}
# both_serve TITLE: 16 handshakes, and as many more as it takes until two workers have served.
both_serve() {
  local i
  served=()
  for ((i = 0; i < 16 || (${#served[@]} < 2 && i < 200); i++)); do
    case $((i % 4)) in
      0) get --tls-max 1.2 ;;
      1) get --tls-max 1.2 --ciphers ECDHE-RSA-AES256-GCM-SHA384 ;;
      *) get ;;
    esac
  done
  ((${#served[@]} >= 2)) || fail "$1: one worker did not serve"
  printf '%-40s %s handshakes, %s workers\n' "$1" "$i" "${#served[@]}"
}
# reset_token: every process's sessions are dropped before its next PKCS#11 call.
reset_token() { printf 'drop-sessions\n' >>"$scratch/chaos"; }
# restored TIMES: that often a process has lost the token's sessions and got new ones.
restored() {
  local number
  number=$(grep -c ' restored token=edge ' "$HSMTLS_LOG" || true)
  ((number >= $1)) || { cat "$HSMTLS_LOG"; fail "sessions were restored $number times, not $1"; }
}

both_serve 'at first'
restored 0
first=("${!served[@]}")
reset_token
both_serve 'after the token was reset'
restored 2
signal_nginx HUP
wait_until 20 grep -q 'gracefully shutting down' "$scratch/nginx.err" || fail "no reload"
both_serve 'while it reloads'
_workers_gone() { [[ ! -e /proc/${first[0]} && ! -e /proc/${first[1]} ]]; }
wait_until 20 _workers_gone || fail "the old workers stay"
reset_token
both_serve 'after a reload and another reset'
restored 4
for worker in "${first[@]}"; do [[ -z ${served[$worker]:-} ]] || fail "an old worker serves"; done
configured passes 'curl with a key in the token, to nginx with one' curl --silent --show-error --cacert "$pki/ca.pem" \
  --cert "$pki/device-p384.pem" --key "$scratch/device-p384.ref.pem" "https://localhost:$port/"
grep -q 'for CN=device-p384' "$output" || { cat "$output"; fail "nginx did not see device-p384"; }

signal_nginx QUIT
finished nginx
! grep -E '\[(emerg|alert|crit)\]|exited on signal|SSL_do_handshake\(\) failed' "$scratch/nginx.err" || fail "nginx complained"
signatures=$(calls C_Sign)
((signatures >= 64)) || fail "only $signatures signatures for at least 64 handshakes"
