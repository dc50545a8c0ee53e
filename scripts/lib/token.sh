# A fresh SoftHSM token in a folder of its own.
# shellcheck shell=bash

token_pin=1234
token_so_pin=12345678
export token_pin

# softhsm_module: prints SoftHSM's PKCS#11 module, or returns 1. HSMTLS_TEST_SOFTHSM names it, as for the tests in C++.
softhsm_module() {
  local file
  for file in "${HSMTLS_TEST_SOFTHSM:-}" /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so \
    /usr/lib64/softhsm/libsofthsm2.so /usr/lib64/pkcs11/libsofthsm2.so /usr/local/lib/softhsm/libsofthsm2.so; do
    [[ -n $file && -e $file ]] && printf '%s\n' "$file" && return 0
  done
  return 1
}

# token_folder FOLDER: makes FOLDER/tokens, empty, and FOLDER/pin with the PIN to be; exports SOFTHSM2_CONF. Whatever
# FOLDER/tokens held before is gone.
token_folder() {
  local folder=$1
  rm -rf "$folder/tokens" "$folder/tokens.away"
  mkdir -p "$folder/tokens"
  printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n' \
    "$folder/tokens" >"$folder/softhsm2.conf"
  export SOFTHSM2_CONF=$folder/softhsm2.conf
  # No newline behind it: libp11 0.4.12 takes the file as it is.
  rm -f "$folder/pin"
  (umask 077 && printf '%s' "$token_pin" >"$folder/pin")
}

# token_make FOLDER LABEL: token_folder, with one token in it.
token_make() {
  local folder=$1 label=$2
  token_folder "$folder"
  quietly "$folder/log/init-token.log" softhsm2-util --init-token --free --label "$label" --pin "$token_pin" --so-pin "$token_so_pin"
}

# token_keygen FOLDER LABEL OBJECT ID [TYPE]: generates a key pair inside the token (TYPE as pkcs11-tool spells it).
token_keygen() {
  local folder=$1 label=$2 object=$3 id=$4 type=${5:-EC:prime256v1}
  quietly "$folder/log/keygen-$id.log" pkcs11-tool --module "$(softhsm_module)" --token-label "$label" --login --pin "$token_pin" \
    --keypairgen --key-type "$type" --id "$id" --label "$object"
}

# token_pin_source FOLDER: prints what follows "pin-source=" in a URI, so that the PIN is in no list of processes.
token_pin_source() {
  local path=$1/pin
  path=${path//%/%25}
  printf 'file:%s' "${path// /%20}"
}

# token_remove FOLDER / token_return FOLDER: the token is pulled out, and put back.
token_remove() { mv "$1/tokens" "$1/tokens.away" && mkdir "$1/tokens"; }
token_return() { rmdir "$1/tokens" && mv "$1/tokens.away" "$1/tokens"; }
