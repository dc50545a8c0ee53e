#!/usr/bin/env bash
# The whole path: keygen, csr, a certificate from a CA, import, connect; resumption; peers that refuse.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
make_pki
make_device device-key
make_device rsa-key --type rsa-2048
key='pkcs11:token=edge;object=device-key'

start_tls_server server -alpn mqtt -www
to=localhost:$port

printf '%s\n' "-- full, then resumed"
passes connect "$to" --key "$key" --ca "$pki/ca.pem" --alpn mqtt,http/1.1 --repeat 3 --json
json_says "[c['resumed'] for c in d['connections']] == [False, True, True]"
json_says "[len(c['token_signatures']) for c in d['connections']] == [1, 0, 0]"
json_says "d['connections'][0]['token_signatures'][0]['mechanism'] == 'CKM_ECDSA'"
json_says "d['connections'][0]['version'] == 'TLSv1.3' and d['connections'][0]['own_signature'] == 'ECDSA with SHA256'"
json_says "d['connections'][0]['alpn'] == 'mqtt' and d['connections'][0]['peer_chain'][0]['subject'] == 'CN=localhost,O=hsmtls test'"
json_says "d['connections'][0]['asked_for_certificate'] is True and 'ecdsa_secp256r1_sha256' in d['connections'][0]['accepted_signatures']"
json_says "[c['verdict'] for c in d['connections']] == ['let_in'] * 3"
json_says "d['key']['token'] == 'edge' and d['key']['name'] == 'EC P-256' and d['counters']['signatures'] == 1 and d['counters']['lost'] == 0"
calls_are C_Sign 1
passes connect "$to" --key "$key" --ca "$pki/ca.pem" --tls 1.2 --repeat 2 --json
json_says "[(c['version'], c['resumed']) for c in d['connections']] == [('TLSv1.2', False), ('TLSv1.2', True)]"
calls_are C_Sign 1
passes connect "$to" --key "$key" --ca "$pki/ca.pem"
prints '^handshake +full, [0-9.]+ ms$'
prints '^peer +CN=localhost,O=hsmtls test, issued by CN=hsmtls test CA'
prints '^in the token +CKM_ECDSA by pkcs11:.*object=device-key.*, [0-9.]+ ms$'
prints '^verdict +let in$'
prints '1 signatures in the token, 0 failed'

printf '%s\n' "-- RSA: PSS in TLS 1.3"
passes connect "$to" --key 'pkcs11:token=edge;object=rsa-key' --ca "$pki/ca.pem" --json
json_says "d['connections'][0]['own_signature'] == 'RSA-PSS with SHA256' and d['connections'][0]['token_signatures'][0]['mechanism'] == 'CKM_RSA_PKCS_PSS'"

printf '%s\n' "-- the certificate from elsewhere; trust from a folder; another name for the server"
passes connect "$to" --key "$key" --ca "$pki/ca.pem" --certificate "$pki/device-key.pem"
mkdir "$scratch/trusted"
cp "$pki/ca.pem" "$scratch/trusted"
passes connect "127.0.0.1:$port" --key "$key" --ca-folder "$scratch/trusted"
passes connect "127.0.0.1:$port" --key "$key" --ca "$pki/ca.pem" --server-name localhost

printf '%s\n' "-- the name that is sent (RFC 6066 section 3): no dot at the end, no address, in brackets or without"
start_tls_server named -servername localhost -cert2 "$pki/server.pem" -key2 "$pki/server.key"
since() { tail -n "+$(($1 + 1))" "$scratch/named.out" | grep -a "$2"; }
# sends NAME WHAT: with --server-name NAME the server sees WHAT ('': no name).
sends() {
  local before
  before=$(wc -l <"$scratch/named.out")
  passes connect "127.0.0.1:$port" --key "$key" --ca "$pki/ca.pem" --server-name "$1"
  # Of a connection it says last which cipher it had.
  wait_until 30 since "$before" '^CIPHER is' >/dev/null || fail "openssl s_server does not tell"
  [[ $(since "$before" '^Hostname in TLS extension: ') == "${2:+Hostname in TLS extension: \"$2\"}" ]] || {
    cat "$scratch/named.out"
    fail "was to send: '$2'"
  }
}
sends localhost localhost
sends localhost. localhost
sends 127.0.0.1 ''
sends '[127.0.0.1]' ''
child_end named
port=${to##*:}

printf '%s\n' "-- what the client refuses"
json_refuses 1 PEER_WRONG_HOST connect "127.0.0.1:$port" --key "$key" --ca "$pki/ca.pem" --server-name other.example
json_says "d['error']['category'] == 'handshake'"
json_refuses 1 PEER_UNTRUSTED connect "$to" --key "$key" --ca "$pki/device-key.pem"
json_refuses 1 TRUST_UNUSABLE connect "$to" --key "$key" --ca /nowhere/ca.pem
json_refuses 1 AMBIGUOUS connect "$to" --key pkcs11:token=edge --ca "$pki/ca.pem"
json_refuses 1 CERTIFICATE_MISMATCH connect "$to" --key "$key" --ca "$pki/ca.pem" --certificate "$pki/server.pem"
json_refuses 1 FILE_UNREADABLE connect "$to" --key "$key" --ca "$pki/ca.pem" --certificate /nowhere.pem
refuses 1 "the host 'no-such-host.invalid' is not known" connect no-such-host.invalid:1 --key "$key" --ca "$pki/ca.pem"
child_end server
refuses 1 "cannot connect to localhost port $port: Connection refused" connect "$to" --key "$key" --ca "$pki/ca.pem"

printf '%s\n' "-- what the server refuses: it trusts other devices only, and says so after the client is done"
pki_make_ca "$scratch/other"
start_plain_server stranger -Verify 1 -verify_return_error -CAfile "$scratch/other/ca.pem"
for version in 1.2 1.3; do
  json_refuses 1 PEER_REFUSED connect "localhost:$port" --key "$key" --ca "$pki/ca.pem" --tls "$version"
done
no_pin_was_shown
