# Keys in a token, what names them, and certificates for them.
# shellcheck shell=bash disable=SC2154,SC2034  # scratch, token_pin

key_types=(p256 p384 rsa ed25519)
declare -A key_generation=([p256]=EC:prime256v1 [p384]=EC:secp384r1 [rsa]=rsa:2048 [ed25519]=EC:edwards25519)
declare -A key_ids=([p256]=01 [p384]=02 [rsa]=03 [ed25519]=04)

# make_token TYPE…: a fresh token "edge" with a key of each type, labelled device-TYPE; $scratch/device-TYPE.ref.pem
# names it.
make_token() {
  local type
  need softhsm2-util pkcs11-tool openssl
  vendor=$(softhsm_module) || skip "SoftHSM's module is not installed"
  rm -rf "$scratch"
  mkdir -p "$scratch"
  token_make "$scratch" edge || fail "no token"
  for type in "$@"; do
    token_keygen "$scratch" edge "device-$type" "${key_ids[$type]}" "${key_generation[$type]}" || fail "no $type key"
    reference_pem "$(uri_of "$type")" "$scratch/device-$type.ref.pem"
  done
  make_configuration
  forget_calls
}

# uri_of TYPE
uri_of() { printf 'pkcs11:token=edge;object=device-%s;type=private' "$1"; }

# _der TAG TEXT: one DER element, in hexadecimal digits.
_der() {
  local length=$((${#2} / 2))
  if ((length < 128)); then printf '%s%02x%s' "$1" "$length" "$2"; else printf '%s82%04x%s' "$1" "$length" "$2"; fi
}
_hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }

# reference_pem URI FILE: the PEM that names a key (core/keys/pem/reference_pem.hpp), made here once more from its
# description, with nothing of ours.
reference_pem() {
  local der
  der=$(_der 30 "$(_der 1a "$(_hex 'PKCS#11 Provider URI v1.0')")$(_der 0c "$(_hex "$1")")")
  {
    printf -- '-----BEGIN PKCS#11 PROVIDER URI-----\n'
    printf '%s' "${der^^}" | basenc --base16 --decode | base64 -w 64
    printf -- '-----END PKCS#11 PROVIDER URI-----\n'
  } >"$2"
}

# make_pki: $scratch/pki with a CA and a server certificate.
make_pki() {
  pki=$scratch/pki
  { pki_make_ca "$pki" && pki_make_server "$pki"; } || fail "no certificates"
}

# make_device TYPE [COMMON-NAME]: $scratch/pki/device-TYPE.pem for the token's key; the provider signs the request.
make_device() {
  quietly "$pki/log/device-$1-csr.log" configured openssl req -new -key "$(uri_of "$1")" \
    -subj "/O=hsmtls test/CN=${2:-device-$1}" -out "$pki/device-$1.csr" || fail "no request for the $1 key"
  pki_sign_client "$pki" "device-$1" || fail "no certificate for the $1 key"
}

# make_token_server TYPE: $scratch/pki/token-server-TYPE.pem, a server certificate for the token's key.
make_token_server() {
  quietly "$pki/log/token-server-csr.log" configured openssl req -new -key "$(uri_of "$1")" \
    -subj '/O=hsmtls test/CN=localhost' -out "$pki/token-server-$1.csr" || fail "no request for the $1 key"
  pki_sign_server "$pki" "token-server-$1" || fail "no certificate for the $1 key"
}
