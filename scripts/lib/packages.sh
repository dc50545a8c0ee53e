# What apt installs. Only what is missing, without questions; nothing is removed.
# shellcheck shell=bash disable=SC2034  # the lists are used by whoever sources this

# Needed to build anything at all.
packages_build=(
  cmake ninja-build g++ pkg-config python3
  libnss3-dev libfmt-dev libgtest-dev libgmock-dev libcli11-dev nlohmann-json3-dev
  libssl-dev libp11-dev libp11-kit-dev libmosquitto-dev
)
# Needed by the demo and by the tests with unmodified applications.
packages_run=(
  softhsm2 opensc libengine-pkcs11-openssl openssl curl mosquitto
  python3-awscrt python3-pykcs11 gnutls-bin p11-kit
)
# Needed by the sanitiser, fuzzing and measuring steps.
packages_check=(libjemalloc2 valgrind clang-14 libclang-rt-14-dev)

# packages_missing NAME…: prints those that dpkg does not know as installed.
packages_missing() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || printf '%s\n' "$name"
  done
}

_apt_get() {
  local -a as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { printf 'neither root nor sudo\n'; return 1; }
    as_root=(sudo)
  fi
  # RUNLEVEL=1 keeps sysvinit machines from starting the services of what is installed (mosquitto's).
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-remove -y "$@"
}

# packages_install NAME…: afterwards all of them are installed, or the reason was printed and it returns 1.
packages_install() {
  local -a _missing
  mapfile -t _missing < <(packages_missing "$@")
  ((${#_missing[@]} == 0)) && return 0
  if ! command -v apt-get >/dev/null; then
    warn "not a Debian or Ubuntu system; please install the equivalents of: ${_missing[*]}"
    return 0
  fi
  say "installing ${_missing[*]}"
  local log=$HSMTLS_ROOT/build/log/apt.log
  # The package lists may be fresh enough; they are fetched once if not.
  if ! { mkdir -p "${log%/*}" && _apt_get install --no-install-recommends "${_missing[@]}" >"$log" 2>&1 </dev/null; }; then
    quietly "$log" _apt_get update || warn "apt-get update failed; trying with the lists there are"
    mapfile -t _missing < <(packages_missing "${_missing[@]}")
    ((${#_missing[@]} == 0)) || quietly "$log" _apt_get install --no-install-recommends "${_missing[@]}"
  fi
}

# packages_install_optional NAME…: all at once if that works; else one by one, so that a package this distribution does
# not have costs only itself.
packages_install_optional() {
  local name
  local -a absent=() wanted
  mapfile -t wanted < <(packages_missing "$@")
  ((${#wanted[@]} > 0)) || return 0
  say "installing ${wanted[*]}"
  packages_install "${wanted[@]}" >/dev/null 2>&1 && return 0
  for name in "${wanted[@]}"; do
    packages_install "$name" >/dev/null 2>&1 || absent+=("$name")
  done
  ((${#absent[@]} == 0)) || say "not to be had here: ${absent[*]} (what needs them is skipped, and says so)"
}
