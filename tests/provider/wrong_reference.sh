#!/usr/bin/env bash
# A reference PEM may come from a stranger. One that names a module or a PIN is refused before anything is called,
# loaded or opened; one that names nothing is refused with what is there. OpenSSL's stores drop a decoder's words, so
# they are on stderr from us.
# shellcheck source=tests/provider/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_token p256
export HSMTLS_TEST_TRAP=$scratch/sprung
bad=$scratch/bad.ref.pem
# Nobody writes into it: who opens it to read waits for ever.
mkfifo "$scratch/pin-trap"

# pem_fails TITLE PATTERN: $bad is refused, both as the key of a program that reads through a store (openssl) and by one
# that reads PEM directly (Python).
pem_fails() {
  forget_calls
  configured refuses "openssl, $1" "$2" openssl req -new -key "$bad" -subj /CN=device -out "$scratch/none.csr"
  configured refuses "python, $1" "$2" "$python" -c \
    'import ssl, sys; ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(*sys.argv[1:])' "$scratch/pki/device-p256.pem" "$bad"
  grep -q 'ssl.SSLError' "$output" || { cat "$output"; fail "Python was to raise SSLError"; }
  [[ ! -e $HSMTLS_TEST_TRAP ]] || fail "a PEM had a module loaded"
}
make_pki
make_device p256

key='pkcs11:token=edge;object=device-p256'
for query in "pin-source=file:$scratch/pin" "pin-source=file:$scratch/pin-trap" 'pin-value=0000' 'pin-source=env:HOME'; do
  reference_pem "$key?$query" "$bad"
  pem_fails "a reference with ${query%%=*}" 'must not say where the PIN is'
  made total 0
done
for query in "module-path=$HSMTLS_TEST_TRAP_MODULE" 'module-name=trap' "module-path=$HSMTLS_TEST_TRAP_MODULE&pin-value=0000"; do
  reference_pem "$key?$query" "$bad"
  pem_fails "a reference with ${query%%=*}" 'must not (name a module|say where the PIN is)'
  made total 0
done
reference_pem "$key?pin-source=|touch%20$HSMTLS_TEST_TRAP" "$bad"
pem_fails 'a reference with a command' 'the \|command form is not supported'
made total 0
if strace -f true 2>/dev/null; then
  reference_pem "$key?pin-source=file:$scratch/pin-trap&module-path=$HSMTLS_TEST_TRAP_MODULE" "$bad"
  configured refuses 'openssl, traced' 'must not' strace -f -o "$scratch/trace" openssl pkey -in "$bad" -noout
  grep -q bad.ref.pem "$scratch/trace" || fail "strace saw nothing"
  for file in "$scratch/pin-trap" "$HSMTLS_TEST_TRAP_MODULE" "$chaos" "$vendor"; do
    ! grep -F "$file" "$scratch/trace" || fail "a PEM had $file opened"
  done
fi

reference_pem 'pkcs11:token=edgy;object=device-p256' "$bad"
pem_fails 'no such token' "hsmtls: .*no token is labelled 'edgy'; tokens here: 'edge'"
made C_Login 0
reference_pem 'pkcs11:token=edge;object=device-p25' "$bad"
pem_fails 'no such key' "hsmtls: no such key: .*did you mean 'device-p256'"
reference_pem 'pkcs11:token=edge;object=device-p256;type=cert' "$bad"
pem_fails 'a certificate' 'hsmtls: .*names a private key, and this URI has type=cert'
made total 0
reference_pem 'pkcs11:token=edge;objekt=x' "$bad"
pem_fails 'a malformed URI' "hsmtls: .*'objekt' is unknown"
made total 0
reference_pem 'https://example.com/' "$bad"
pem_fails 'another URI' "hsmtls: .*begins with 'pkcs11:'"
made total 0

# What is no reference at all is as any other broken PEM: OpenSSL's own words.
printf -- '-----BEGIN PKCS#11 PROVIDER URI-----\nMAUwAwIBAQ==\n-----END PKCS#11 PROVIDER URI-----\n' >"$bad"
pem_fails 'another structure' 'unsupported|PEM lib|not supported'
made total 0
head -c 70 "$scratch/device-p256.ref.pem" >"$bad"
pem_fails 'half a reference' 'unsupported|PEM lib|not supported|bad end line|no start line'
made total 0
sed 's/^M/!/' "$scratch/device-p256.ref.pem" >"$bad"
pem_fails 'no base64' 'unsupported|PEM lib|not supported|bad base64'
made total 0
