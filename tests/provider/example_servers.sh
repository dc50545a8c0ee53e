#!/usr/bin/env bash
# examples/nginx/serve.sh and examples/mosquitto/broker.sh: servers whose key is in the token; the openssl.cnf as it is
# installed, module and PIN from the environment.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need nginx curl mosquitto mosquitto_pub
make_token p256
make_pki
make_token_server p256
{ _openssl "$pki" device-csr req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=device-0001 \
  -keyout "$pki/device.key" -out "$pki/device.csr" && pki_sign_client "$pki" device; } || fail "no client"
PATH=$PATH:/usr/sbin:/sbin
key_is_in_token=("$pki/token-server-p256.pem" "$scratch/device-p256.ref.pem" "$pki/ca.pem")
serve() { OPENSSL_CONF=$HSMTLS_TEST_CNF HSMTLS_MODULE=$vendor HSMTLS_PIN_SOURCE=file:$scratch/pin "$@"; }

# start_on_free_port NAME SCRIPT: starts the example where nobody listens; sets `port`.
start_on_free_port() {
  local attempt
  mkdir -p "$scratch/$1"
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    serve child_start "$1" "$scratch" "$HSMTLS_ROOT/examples/$2" "${key_is_in_token[@]}" "$port" "$scratch/$1"
    _up_or_dead() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || ! child_alive "$1"; }
    wait_until 20 _up_or_dead "$1" || true
    child_alive "$1" && return 0
    ((attempt < 5)) || tail -n 5 "$scratch/$1.err"
    child_end "$1"
  done
  fail "examples/$2 does not start"
}

start_on_free_port nginx nginx/serve.sh
passes 'a client with a certificate, to nginx' curl --silent --show-error --cacert "$pki/ca.pem" --cert "$pki/device.pem" \
  --key "$pki/device.key" "https://localhost:$port/"
grep -q 'hello, CN=device-0001' "$output" || fail "nginx did not see device-0001"
passes 'one without' curl --silent --cacert "$pki/ca.pem" "https://localhost:$port/"
grep -q 'No required SSL certificate' "$output" || fail "nginx let in who has no certificate"
kill -QUIT "${child_pid[nginx]}"
finished nginx

start_on_free_port broker mosquitto/broker.sh
passes 'a client with a certificate, to mosquitto' mosquitto_pub -h localhost -p "$port" -t devices/test -m hello -q 1 \
  --cafile "$pki/ca.pem" --cert "$pki/device.pem" --key "$pki/device.key"
grep -aq "u'device-0001'" "$scratch/broker.err" || fail "mosquitto did not see device-0001"
kill "${child_pid[broker]}"
finished broker
