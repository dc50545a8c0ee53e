#!/usr/bin/env bash
# connect and doctor with servers that are gone early, say nothing, take nothing that the key can sign, or are not there.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token
make_pki
make_device device-key
key='pkcs11:token=edge;object=device-key'

# step NAME STATUS PATTERN: of doctor's last run.
step() { json_says "[s['status'] for s in d['steps'] if s['step'] == '$1' and __import__('re').search(r'''$3''', s['message'])] == ['$2']"; }

printf '%s\n' "-- gone during the handshake"
start_odd_server cut
# Several times: whether the second half of an answer finds the connection gone is a matter of luck.
for _ in 1 2 3 4; do
  json_refuses 1 CONNECTION_LOST connect "localhost:$port" --key "$key" --ca "$pki/ca.pem"
done
for _ in 1 2 3 4; do
  hsmtls doctor "$key" --connect "localhost:$port" --ca "$pki/ca.pem" --json
  ((status == 1)) || fail "was to end with 1, not $status"
  step handshake failed CONNECTION_LOST
done
child_end cut

printf '%s\n' "-- it hangs up after the handshake"
start_odd_server hang-up
passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem"
prints '^verdict +none: the server hung up'
passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem" --json
json_says "d['connections'][0]['verdict'] == 'hung_up'"
passes doctor "$key" --connect "localhost:$port" --ca "$pki/ca.pem" --json
step client-certificate warning 'we signed \(ECDSA with SHA256\), and it hung up without a word'
child_end hang-up

printf '%s\n' "-- it says nothing after the handshake"
start_odd_server silent
passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem"
prints '^verdict +none so far'
passes doctor "$key" --connect "localhost:$port" --ca "$pki/ca.pem" --json
step client-certificate note 'it said nothing at all'
passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem" --tls 1.2 --json
json_says "d['connections'][0]['verdict'] == 'let_in'"
child_end silent

printf '%s\n' "-- it asks for a certificate, and takes no signature that the key can make"
start_plain_server choosy -verify 1 -client_sigalgs RSA-PSS+SHA256 -CAfile "$pki/ca.pem"
takes='the server takes rsa_pss_rsae_sha256, and the key \(EC P-256\) signs by ecdsa_secp256r1_sha256'
hsmtls doctor "$key" --connect "localhost:$port" --ca "$pki/ca.pem" --json
((status == 1)) || fail "was to end with 1, not $status"
step client-certificate failed "the server asked, and got none: $takes"
passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem"
prints "^we signed +nothing: $takes"
passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem" --json
json_says "d['connections'][0]['asked_for_certificate'] and d['connections'][0]['own_signature'] is None"
json_says "d['connections'][0]['accepted_signatures'] == ['rsa_pss_rsae_sha256']"
child_end choosy

printf '%s\n' "-- it asks for none"
start_plain_server generous
passes doctor "$key" --connect "localhost:$port" --ca "$pki/ca.pem" --json
step client-certificate warning 'the server did not ask for one'
passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem"
prints '^we signed +nothing: the server did not ask for a certificate'
child_end generous

printf '%s\n' "-- the host's first address answers nothing, the second one is all right"
start_odd_server deaf
LD_PRELOAD=$HSMTLS_TEST_TWO_ADDRESSES passes connect "localhost:$port" --key "$key" --ca "$pki/ca.pem" --tls 1.2 --json
json_says "d['connections'][0]['verdict'] == 'let_in'"
child_end deaf
start=$SECONDS
LD_PRELOAD=$HSMTLS_TEST_TWO_ADDRESSES json_refuses 1 CONNECTION_LOST connect "localhost:$port" --key "$key" --ca "$pki/ca.pem"
((SECONDS - start < 30)) || fail "that took $((SECONDS - start)) s"
no_pin_was_shown
