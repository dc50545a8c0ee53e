#!/usr/bin/env bash
# nginx as a server whose key stays in the token: ssl_certificate_key names a reference PEM, which is only the key's name.
#
#   OPENSSL_CONF=/usr/local/share/hsmtls/openssl.cnf HSMTLS_MODULE=/usr/lib/softhsm/libsofthsm2.so \
#     HSMTLS_PIN_SOURCE=file:/etc/edge/pin serve.sh CERTIFICATE REFERENCE-PEM CA-FILE PORT FOLDER
#
# Clients must have a certificate of CA-FILE's. FOLDER is nginx's own, and the files' names are absolute. Two workers, in the
# foreground; HUP reloads, QUIT ends it.
set -euo pipefail
(($# == 5)) || { sed -n '4,5s/^# *//p' "$0" >&2; exit 2; }
certificate=$1 reference=$2 ca=$3 port=$4 folder=$5

cat >"$folder/nginx.conf" <<NGINX
# A worker that loses root may no longer read the token and the PIN: name a user that may.
$( ((EUID != 0)) || echo 'user root;')
# Workers have no environment but what is named here.
env SOFTHSM2_CONF;
daemon off;
worker_processes 2;
pid $folder/nginx.pid;
error_log stderr info;
events {}
http {
  access_log off;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $certificate;
    ssl_certificate_key $reference;
    ssl_client_certificate $ca;
    ssl_verify_client on;
    location / { return 200 "hello, \$ssl_client_s_dn\n"; }
  }
}
NGINX
exec nginx -p "$folder" -c "$folder/nginx.conf" -e stderr
