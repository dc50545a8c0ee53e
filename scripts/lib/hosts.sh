# What the tests with hosts need and no distribution has: another Node.js, and the headers of Node-API. Below build/npm.
# shellcheck shell=bash

# hosts_fetch: fetches with npm what is missing. Says why for each that cannot be had, and succeeds.
hosts_fetch() {
  local arch
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) arch='' ;;
  esac
  _npm_unpack node-api-headers node-api-headers@1 package/include
  [[ -z $arch ]] || _npm_unpack node-24 "node-linux-$arch@24" package/bin/node package/LICENSE
}

# _npm_unpack FOLDER PACKAGE PATH…: PATHs of a package as it is published, in build/npm/FOLDER. Nothing of it is run.
_npm_unpack() {
  local npm=$HSMTLS_ROOT/build/npm package=$2 temporary
  local folder=$npm/$1
  shift 2
  [[ ! -d $folder ]] || return 0
  command -v npm >/dev/null || { say "not fetched: $package (npm is not installed; what needs it is skipped, and says so)"; return 0; }
  mkdir -p "$npm" "$HSMTLS_ROOT/build/log"
  temporary=$(mktemp -d "$npm/unpacking.XXXXXX")
  say "fetching $package"
  if (cd "$temporary" && npm pack --silent --cache "$npm/cache" "$package") >"$HSMTLS_ROOT/build/log/npm.log" 2>&1 </dev/null &&
    tar -xzf "$temporary"/*.tgz -C "$temporary" --no-same-owner "$@"; then
    mv "$temporary/package" "$folder"
  else
    say "not fetched: $package ($(tail -n 1 "$HSMTLS_ROOT/build/log/npm.log"); what needs it is skipped, and says so)"
  fi
  rm -rf "$temporary"
}
