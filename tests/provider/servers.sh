# Peers that demand a client certificate, and clients for servers whose key is in the token. Free ports of localhost.
# shellcheck shell=bash disable=SC2154,SC2034  # scratch, pki

# start_tls_server: an OpenSSL server without hsmtls that demands a client certificate; sets `port`. What it
# says of its clients is in $scratch/server.out.
start_tls_server() {
  child_start server "$scratch" openssl s_server -accept 127.0.0.1:0 -www -Verify 1 -verify_return_error \
    -CAfile "$pki/ca.pem" -cert "$pki/server.pem" -key "$pki/server.key"
  wait_for_port server
}

# wait_for_port NAME: sets `port` to where the openssl s_server of that name listens.
wait_for_port() {
  wait_until 20 grep -q '^ACCEPT .*:[0-9]' "$scratch/$1.out" || { cat "$scratch/$1.err"; fail "openssl s_server does not start"; }
  port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$scratch/$1.out" | head -n 1)
}

# fetch TITLE COMMON-NAME OPTION…: `openssl s_client` asks the server for its page, which names the client's
# certificate. OPTIONs are s_client's. What it printed is in $output.
fetch() {
  local title=$1 name=$2 status=0
  shift 2
  output=$scratch/${title//[^a-zA-Z0-9]/-}.out
  printf 'GET / HTTP/1.0\r\n\r\n' | configured timeout 60 openssl s_client -connect "localhost:$port" \
    -CAfile "$pki/ca.pem" -verify_return_error -verify_hostname localhost -ign_eof "$@" >"$output" 2>&1 || status=$?
  printf '%-60s exit %s\n' "$title" "$status"
  ((status == 0)) || { tail -n 30 "$output"; fail "$title was to succeed"; }
  grep -q "Subject: .*CN *= *$name\$" "$output" || { tail -n 30 "$output"; fail "$title: the server did not see $name"; }
}

_nginx_up_or_dead() { curl --silent --insecure --output /dev/null "https://localhost:$port/" || ! child_alive nginx; }

# start_nginx LINE…: nginx with two workers on a free port of localhost; LINEs go into its server block. Sets `port`; its
# log is $scratch/nginx.err.
start_nginx() {
  local nginx folder=$scratch/nginx attempt
  nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx) || fail "nginx is not installed"
  mkdir -p "$folder"
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    {
      # A worker has no environment but this, and started as root it would be somebody who may not read the token.
      ((EUID != 0)) || printf 'user root;\n'
      printf 'env %s;\n' SOFTHSM2_CONF HSMTLS_CHAOS_MODULE HSMTLS_CHAOS_FILE HSMTLS_CHAOS_COUNTS
      printf '%s\n' 'daemon off;' 'worker_processes 2;' "pid $folder/pid;" 'error_log stderr info;' 'events {}' 'http {' 'access_log off;'
      for temporary in client_body proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s;\n' "$temporary" "$folder/temporary"; done
      # Each worker has its own queue, so that both get connections.
      printf '%s\n' 'server {' "listen 127.0.0.1:$port ssl reuseport;" 'ssl_session_tickets off;' "$@" '}' '}'
    } >"$folder/nginx.conf"
    configured child_start nginx "$scratch" "$nginx" -p "$folder" -c "$folder/nginx.conf" -e stderr
    wait_until 20 _nginx_up_or_dead || true
    if child_alive nginx; then return 0; fi
    ((attempt < 5)) || tail -n 5 "$scratch/nginx.err"
    child_end nginx
  done
  fail "nginx does not start"
}

# signal_nginx NAME: as `nginx -s` does.
signal_nginx() { kill "-$1" "${child_pid[nginx]}"; }
