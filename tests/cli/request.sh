#!/usr/bin/env bash
# csr: what openssl reads of it, for every type of key.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token

# request_says PATTERN: what openssl prints of the request in $scratch/csr, whose signature it verifies.
request_says() {
  openssl req -in "$scratch/csr" -noout -verify -text >"$scratch/text" 2>&1 || { cat "$scratch/text"; fail "openssl does not verify it"; }
  grep -qE -- "$1" "$scratch/text" || { cat "$scratch/text"; fail "openssl was to say: $1"; }
}

for type in ec-p256 ec-p384 ec-p521 rsa-2048 ed25519; do
  passes keygen "pkcs11:token=edge;object=$type" --type "$type"
  passes csr "pkcs11:token=edge;object=$type" --subject 'CN=device-0001,O=Example' --out "$scratch/csr"
  notes "a request for CN=device-0001,O=Example, signed in the token by pkcs11:.*object=$type.* and verified"
  request_says 'Subject: O = Example, CN = device-0001'
  request_says 'TLS Web Client Authentication'
  request_says 'Digital Signature'
  ! grep -q 'TLS Web Server' "$scratch/text" || fail "serverAuth, too"
  case $type in
    ec-p256) request_says 'ASN1 OID: prime256v1' && request_says 'ecdsa-with-SHA256' ;;
    ec-p384) request_says 'ASN1 OID: secp384r1' && request_says 'ecdsa-with-SHA384' ;;
    ec-p521) request_says 'ASN1 OID: secp521r1' && request_says 'ecdsa-with-SHA512' ;;
    rsa-2048) request_says 'sha256WithRSAEncryption' ;;
    ed25519) request_says 'Signature Algorithm: ED25519' ;;
  esac
done

key='pkcs11:token=edge;object=ec-p256'
passes csr "$key" --subject '/O=Example, Inc./CN=a\/b' --server --san DNS:gw.example,IP:192.0.2.1 --san URI:urn:a,email:a@b.example \
  --out "$scratch/csr"
request_says 'Subject: O = "Example, Inc.", CN = a/b'
request_says 'TLS Web Server Authentication'
request_says 'DNS:gw.example, IP Address:192.0.2.1, URI:urn:a, email:a@b.example'
! grep -q 'TLS Web Client' "$scratch/text" || fail "clientAuth, too"

printf '%s\n' "-- what RFC 4514 escapes, and what openssl -subj does"
# subject_is TYPED ENCODED
subject_is() {
  passes csr "$key" --subject "$1" --out "$scratch/csr"
  [[ $(openssl req -in "$scratch/csr" -noout -subject -nameopt RFC2253,-esc_msb,utf8) == "subject=$2" ]] || {
    openssl req -in "$scratch/csr" -noout -subject
    fail "'$1' was to be '$2'"
  }
}
subject_is 'CN=a\2Cb' 'CN=a\,b'
subject_is 'CN=Ger\C3\a4t,O=Example' 'CN=Gerät,O=Example'
subject_is 'CN=a\+O=b\, c' 'CN=a\+O=b\, c'
subject_is 'CN=\#1' 'CN=\#1'
subject_is 'CN=a+b' 'CN=a\+b'
subject_is '/CN=#1\+2=3' 'CN=\#1\+2=3'
passes csr "$key" --subject CN=a --san 'IP:192.0.2.1, DNS:a.example ,email:a@b.example' --out "$scratch/csr"
request_says 'IP Address:192.0.2.1, DNS:a.example, email:a@b.example'

passes csr "$key" --subject 'CN=Gerät\, 1' --out -
prints '^-----BEGIN CERTIFICATE REQUEST-----$'
passes csr "$key" --subject 'CN=Gerät\, 1' --out - --json
json_says "d['subject'] == 'CN=Gerät\\\\, 1' and d['out'] is None and d['pem'].startswith('-----BEGIN CERT') and d['key'] == 'EC P-256'"

refuses 1 "cannot write the file '/nowhere/csr': No such file" csr "$key" --subject CN=a --out /nowhere/csr
json_refuses 1 FILE_UNREADABLE csr "$key" --subject CN=a --out /nowhere/csr
refuses 1 "none is labelled 'ec-p265'" csr 'pkcs11:token=edge;object=ec-p265' --subject CN=a --out -
json_refuses 1 AMBIGUOUS csr pkcs11:token=edge --subject CN=a --out -
no_pin_was_shown
