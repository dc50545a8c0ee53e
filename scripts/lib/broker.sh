# A mosquitto broker of our own that wants a client certificate and takes its common name as the user name.
# shellcheck shell=bash

# free_port: prints a port that the kernel says is free.
free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

_broker_up_or_dead() {
  grep -q 'mosquitto version .* running' "$broker_log" 2>/dev/null || ! child_alive broker
}

# broker_start FOLDER PKI [TLS-VERSION [LINE…]]: starts it on a free port of localhost; sets broker_port and broker_log.
# LINEs go behind its configuration.
broker_start() {
  local folder=$1 pki=$2 tls=${3:-} mosquitto attempt
  mosquitto=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mosquitto) || { warn "mosquitto is not installed"; return 1; }
  mkdir -p "$folder"
  broker_log=$folder/broker.err
  for attempt in 1 2 3 4 5; do
    broker_port=$(free_port)
    {
      printf 'listener %s 127.0.0.1\n' "$broker_port"
      printf '%s\n' "cafile $pki/ca.pem" "certfile $pki/server.pem" "keyfile $pki/server.key" \
        'require_certificate true' 'use_identity_as_username true' \
        'persistence false' 'log_type all' 'log_dest stderr' 'log_timestamp_format %H:%M:%S'
      [[ -z $tls ]] || printf 'tls_version %s\n' "$tls"
      # Started as root it would become the user mosquitto, who cannot read the key file.
      ((EUID != 0)) || printf 'user root\n'
      (($# < 4)) || printf '%s\n' "${@:4}"
    } >"$folder/mosquitto.conf"
    child_start broker "$folder" "$mosquitto" -c "$folder/mosquitto.conf"
    wait_until 10 _broker_up_or_dead || true
    child_alive broker && grep -q 'mosquitto version .* running' "$broker_log" && return 0
    # Somebody took the port between the two steps: another one.
    child_end broker
    ((attempt < 5)) || tail -n 5 "$broker_log" >&2
  done
  warn "mosquitto does not start: $broker_log"
  return 1
}
