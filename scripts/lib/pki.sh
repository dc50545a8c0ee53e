# A test CA, a server certificate, and a device certificate whose key stays in the token.
# Certificates carry what strict verifiers ask for: keyUsage, subject and authority key identifiers.
# Needs token.sh.
# shellcheck shell=bash disable=SC2154  # token_pin

_openssl() {
  local folder=$1 name=$2
  shift 2
  quietly "$folder/log/$name.log" env -u OPENSSL_CONF openssl "$@"
}

# pki_make_ca FOLDER: FOLDER/ca.pem and FOLDER/ca.key.
pki_make_ca() {
  local folder=$1
  mkdir -p "$folder"
  _openssl "$folder" ca req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -nodes -days 30 \
    -subj '/O=hsmtls test/CN=hsmtls test CA' -keyout "$folder/ca.key" -out "$folder/ca.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -addext subjectKeyIdentifier=hash
}

# _pki_sign FOLDER NAME EXTENSION…: signs FOLDER/NAME.csr with the CA, giving FOLDER/NAME.pem.
_pki_sign() {
  local folder=$1 name=$2
  shift 2
  printf '%s\n' basicConstraints=critical,CA:FALSE subjectKeyIdentifier=hash authorityKeyIdentifier=keyid "$@" >"$folder/$name.ext"
  _openssl "$folder" "$name-sign" x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial \
    -days 30 -extfile "$folder/$name.ext" -out "$folder/$name.pem"
}

# pki_make_server FOLDER: FOLDER/server.pem and server.key, for localhost and 127.0.0.1.
pki_make_server() {
  local folder=$1
  _openssl "$folder" server-csr req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -nodes \
    -subj '/O=hsmtls test/CN=localhost' -keyout "$folder/server.key" -out "$folder/server.csr" &&
    pki_sign_server "$folder" server
}

# pki_sign_server FOLDER NAME / pki_sign_client FOLDER NAME: FOLDER/NAME.pem of the request FOLDER/NAME.csr.
pki_sign_server() {
  _pki_sign "$1" "$2" keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth 'subjectAltName=DNS:localhost,IP:127.0.0.1'
}
pki_sign_client() { _pki_sign "$1" "$2" keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth; }

# pki_make_device FOLDER URI COMMON_NAME MODULE: FOLDER/device.pem. The token's key signs the request; OpenSSL reaches
# it through the stock libp11 engine, which loads MODULE.
pki_make_device() {
  local folder=$1 uri=$2 name=$3 module=$4
  PKCS11_MODULE_PATH=$module _openssl "$folder" device-csr req -new -engine pkcs11 -keyform engine -key "$uri;type=private?pin-value=$token_pin" \
    -subj "/O=hsmtls test/CN=$name" -out "$folder/device.csr" &&
    pki_sign_client "$folder" device
}
