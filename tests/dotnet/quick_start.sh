#!/usr/bin/env bash
# The quick start of the README, HttpClient, against nginx, which wants a client certificate and knows only the root.
# shellcheck source=tests/dotnet/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/provider/servers.sh
. "$HSMTLS_ROOT/tests/provider/servers.sh"
built quick_start
need nginx curl
configured() { "$@"; }
start_nginx "ssl_certificate $HSMTLS_TEST_FOLDER/server.pem;" "ssl_certificate_key $HSMTLS_TEST_FOLDER/server.key;" \
  "ssl_client_certificate $HSMTLS_TEST_FOLDER/ca.pem;" 'ssl_verify_client on;' 'ssl_verify_depth 2;' \
  "location / { return 200 'hello, \$ssl_client_s_dn\n'; }"

for key in ec rsa; do
  SSL_CERT_FILE=$HSMTLS_TEST_FOLDER/ca.pem passes "HttpClient as device-$key" \
    "$program" "pkcs11:token=edge;object=$key" "https://localhost:$port/"
  grep -q "hello, CN=device-$key" "$output" || fail "nginx did not see device-$key: $(<"$output")"
done
signal_nginx QUIT
finished nginx
