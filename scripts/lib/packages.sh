# What apt installs. Only what is missing, without questions; nothing is removed.
# shellcheck shell=bash disable=SC2034  # the lists are used by whoever sources this

# Needed to build anything at all.
packages_build=(
  cmake ninja-build g++ pkg-config python3
  libnss3-dev libfmt-dev libgtest-dev libgmock-dev libcli11-dev nlohmann-json3-dev
  libssl-dev libp11-dev libp11-kit-dev libmosquitto-dev libcurl4-openssl-dev
)
# Boost's headers, any version from 1.74: libboost-dev would push out another one that is there.
[[ -e /usr/include/boost/version.hpp ]] || packages_build+=(libboost-dev)
# Needed to build the packages for languages, and by the demo's programs on them.
packages_languages=(pybind11-dev python3-dev python3-paho-mqtt nodejs swig)
# Needed by the demo and by the tests with unmodified applications.
packages_run=(
  softhsm2 opensc libengine-pkcs11-openssl openssl curl mosquitto mosquitto-clients nginx
  python3-awscrt python3-pykcs11 gnutls-bin p11-kit openssh-client
  python3-requests python3-aiohttp
)
# Needed by the sanitiser, fuzzing, measuring and lint steps.
packages_check=(libjemalloc2 valgrind clang-14 libclang-rt-14-dev clang-format-14 shellcheck mypy)

# packages_missing NAME…: prints those that dpkg does not know as installed.
packages_missing() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || printf '%s\n' "$name"
  done
}

# _why_no_apt: succeeds and prints why apt cannot be used here at all, or fails.
_why_no_apt() {
  if ! command -v apt-get >/dev/null; then
    printf 'not a Debian or Ubuntu system'
  elif ((EUID != 0)) && ! command -v sudo >/dev/null; then
    printf 'neither root nor sudo'
  else
    return 1
  fi
}

_apt_get() {
  local -a as_root=()
  ((EUID == 0)) || as_root=(sudo)
  # RUNLEVEL=1 and SYSTEMD_OFFLINE=1 keep sysvinit and systemd machines from starting the services of what is installed
  # (mosquitto's, nginx's).
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 SYSTEMD_OFFLINE=1 \
    apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-remove -y "$@"
}

# _apt_install NAME…: without a word; what apt said is in $apt_log.
apt_log=$HSMTLS_ROOT/build/log/apt.log
_apt_install() {
  mkdir -p "${apt_log%/*}"
  _apt_get install --no-install-recommends "$@" >"$apt_log" 2>&1 </dev/null
}

# _apt_update: fetches the package lists, at most once in a run. Sets apt_lists_problem to apt's words when that failed.
apt_updated=no apt_lists_problem=''
_apt_update() {
  local log=$HSMTLS_ROOT/build/log/apt-update.log status=0
  [[ $apt_updated == no ]] || return 0
  apt_updated=yes
  _apt_get update >"$log" 2>&1 </dev/null || status=$?
  # Lists that cannot be fetched are only a warning to apt.
  apt_lists_problem=$(sed -nE 's/^[EW]: ((Failed|Unable|Could not|The repository|Some index).*)/\1/p' "$log" | head -n 1)
  ((status == 0)) || apt_lists_problem=${apt_lists_problem:-apt-get update failed: $log}
}

# packages_install NAME…: afterwards all of them are installed, or the reason was printed and it returns 1.
packages_install() {
  local why
  local -a missing
  mapfile -t missing < <(packages_missing "$@")
  ((${#missing[@]} > 0)) || return 0
  if why=$(_why_no_apt); then
    warn "$why; please install (or their equivalents): ${missing[*]}"
    # Another distribution may have them by other names: the build says what it misses.
    ! command -v apt-get >/dev/null
    return
  fi
  say "installing ${missing[*]}"
  # The package lists may be fresh enough; they are fetched if not.
  _apt_install "${missing[@]}" && return 0
  _apt_update
  _apt_install "${missing[@]}" && return 0
  tail -n 20 "$apt_log" >&2
  [[ -z $apt_lists_problem ]] || warn "the package lists could not be fetched: $apt_lists_problem"
  warn "apt cannot install them (all it said: $apt_log)"
  return 1
}

# packages_install_optional NAME…: all at once if that works; else one by one, so that a package that cannot be had costs
# only itself. Says why for each that is missing afterwards, and succeeds.
packages_install_optional() {
  local name why
  local -a wanted unknown=() absent=()
  mapfile -t wanted < <(packages_missing "$@")
  ((${#wanted[@]} > 0)) || return 0
  if why=$(_why_no_apt); then
    say "not installed: ${wanted[*]} ($why; what needs them is skipped, and says so)"
    return 0
  fi
  say "installing ${wanted[*]}"
  _apt_install "${wanted[@]}" && return 0
  _apt_update
  _apt_install "${wanted[@]}" && return 0
  for name in "${wanted[@]}"; do
    _apt_install "$name" && continue
    absent+=("$name")
    if grep -qE "^E: (Unable to locate package|Package '.*' has no installation candidate)" "$apt_log"; then
      unknown+=("$name")
    else
      say "not installed: $name ($(sed -nE 's/^(E: |sudo: )//p' "$apt_log" | head -n 1))"
    fi
  done
  ((${#unknown[@]} == 0)) || say "not installed: ${unknown[*]} (${apt_lists_problem:-this distribution does not have them})"
  ((${#absent[@]} == 0)) || say "(what needs ${absent[*]} is skipped, and says so)"
}
