#!/usr/bin/env bash
# p11-kit loads our module from a .module file, for an unprivileged user: applications on p11-kit-proxy and GnuTLS's
# default provider see the token, and survive its resets. (Root ignores its own p11-kit configuration.)
# shellcheck source=tests/unmodified/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need p11-kit p11tool pkcs11-tool setpriv
need_python PyKCS11 python3-pykcs11
for proxy in "$(pkg-config --variable=proxy_module p11-kit-1 2>/dev/null)" /usr/lib/*/p11-kit-proxy.so /usr/lib64/p11-kit-proxy.so; do
  [[ ! -e $proxy ]] || break
done
[[ -e $proxy ]] || skip "p11-kit-proxy.so is not installed"
make_token

# as_user COMMAND…: as somebody who is not root; as the user nobody, or, where that one may not enter the build folder,
# as a user of a new user namespace.
nobody=$(id -u nobody)
user=()
if ((EUID == 0)); then
  user=(setpriv --reuid="$nobody" --regid="$(id -g nobody)" --clear-groups --no-new-privs)
  chown -R nobody "$scratch"
  if ! "${user[@]}" test -r "$front" -a -w "$scratch"; then
    user=(unshare --user --map-user=1000 --map-group=1000)
    chown -R root "$scratch"
    "${user[@]}" test -r "$front" -a -w "$scratch" 2>/dev/null || skip "no unprivileged user can read $front"
  fi
fi

for side in "${sides[@]}"; do
  config=$scratch/config-$side/pkcs11
  mkdir -p "$config/modules"
  printf 'user-config: only\n' >"$config/pkcs11.conf"
  sed "s|^module:.*|module: $(module_of "$side")|" "$HSMTLS_ROOT/examples/p11-kit/hsmtls.module" >"$config/modules/hsmtls.module"
done
as_user() { # SIDE COMMAND…
  local -x XDG_CONFIG_HOME=$scratch/config-$1 HOME=$scratch/config-$1 GNUTLS_PIN=$token_pin
  on "$@"
}
((EUID != 0)) || chown -R --reference="$scratch" "$scratch"

for side in "${sides[@]}"; do
  as_user "$side" passes "p11-kit list-modules ($side)" "${user[@]}" p11-kit list-modules
  grep -q '^hsmtls:' "$output" || { cat "$output"; fail "p11-kit did not take our .module file"; }
  ! grep -q '^softhsm2:' "$output" || { cat "$output"; fail "p11-kit took the system's .module files"; }
  as_user "$side" passes "p11tool, default provider ($side)" "${user[@]}" p11tool --login --list-all pkcs11:token=edge
  grep -q 'object=device-key;type=private' "$output" || { cat "$output"; fail "p11tool does not see the key"; }
  as_user "$side" passes "pkcs11-tool --sign through p11-kit-proxy ($side)" "${user[@]}" pkcs11-tool --module "$proxy" --token-label edge \
    --login --pin "$token_pin" --sign --mechanism ECDSA --id 01 --input-file /etc/hostname --output-file "$scratch/signature"
done

for side in "${sides[@]}"; do
  XDG_CONFIG_HOME=$scratch/config-$side HOME=$scratch/config-$side \
    start_signer "$side" "${user[@]}" "$python" "$here/sign_with_pykcs11.py" "$proxy" edge "$token_pin" device-key
done
survives_resets '^failed: CKR_SESSION_HANDLE_INVALID'
survives_removal
signers_end
