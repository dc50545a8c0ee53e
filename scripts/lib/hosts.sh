# What packages and tests need and no distribution has: another Node.js, what hsmtls.node is built with and SDKs, below
# build/npm (of nothing there an install script is run); what compiling for .NET 8 needs, in build/nuget-packages.
# shellcheck shell=bash

# Both functions fetch with npm and NuGet what is missing, say why for each that cannot be had, and succeed.

# build_fetch: what the packages for Node.js and .NET are built with, and the MQTT client of the demo.
build_fetch() {
  _npm_unpack node-api-headers node-api-headers@1.9.0 package/include
  _npm_unpack node-addon-api node-addon-api@8.9.2 package
  _npm_install mqtt-5 mqtt@5.16.0
  _nuget_fetch
}

# hosts_fetch: that, and what only tests use: another Node.js, and SDKs, each with what it depends on.
hosts_fetch() {
  local arch
  build_fetch
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) arch='' ;;
  esac
  [[ -z $arch ]] || _npm_unpack node-24 "node-linux-$arch@24.21.0" package/bin/node package/LICENSE
  _npm_install typescript typescript@5.9.3 @types/node@20.19.43
  _npm_install mqtt-4 mqtt@4.3.8
  _npm_install azure azure-iot-device@1.18.4 azure-iot-device-mqtt@1.16.4
  _npm_install aws aws-iot-device-sdk@2.2.16
}

# _nuget_fetch: the reference assemblies of .NET 8, in build/nuget-packages.
_nuget_fetch() {
  local packages=$HSMTLS_ROOT/build/nuget-packages log=$HSMTLS_ROOT/build/log/nuget.log
  ! compgen -G "$packages/microsoft.netcore.app.ref/8.*" >/dev/null || return 0
  command -v dotnet >/dev/null || { say "not built: the package for .NET (there is no dotnet)"; return 0; }
  say "fetching Microsoft.NETCore.App.Ref 8"
  mkdir -p "$packages" "${log%/*}"
  NUGET_PACKAGES=$packages DOTNET_CLI_HOME=$packages DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 \
    dotnet restore "$HSMTLS_ROOT/dotnet/HsmTls.csproj" --disable-build-servers --artifacts-path "$packages.restore" \
    -property:TargetFrameworks=net8.0 >"$log" 2>&1 </dev/null ||
    say "not fetched: Microsoft.NETCore.App.Ref 8 ($(grep -m 1 -o 'error .*' "$log"); the package is for .NET 10 alone)"
}

# _npm NPM-ARGUMENT…: in the current folder, with a cache below build/npm.
_npm() { npm "$@" --silent --cache "$HSMTLS_ROOT/build/npm/cache" >"$HSMTLS_ROOT/build/log/npm.log" 2>&1 </dev/null; }

# _npm_fetch FOLDER WHAT COMMAND…: build/npm/FOLDER is what COMMAND, run in an empty folder, leaves in its folder "package";
# it is complete or not there.
_npm_fetch() {
  local npm=$HSMTLS_ROOT/build/npm temporary
  local folder=$npm/$1 what=$2
  shift 2
  [[ ! -d $folder ]] || return 0
  command -v npm >/dev/null || { say "not fetched: $what (npm is not installed; what needs it is skipped, and says so)"; return 0; }
  mkdir -p "$npm" "$HSMTLS_ROOT/build/log"
  temporary=$(mktemp -d "$npm/fetching.XXXXXX")
  say "fetching $what"
  if (cd "$temporary" && "$@"); then
    mv "$temporary/package" "$folder"
  else
    say "not fetched: $what ($(tail -n 1 "$HSMTLS_ROOT/build/log/npm.log"); what needs it is skipped, and says so)"
  fi
  rm -rf "$temporary"
}

# _npm_unpack FOLDER PACKAGE PATH…: PATHs of a package as it is published, in build/npm/FOLDER.
_npm_unpack() { _npm_fetch "$1" "$2" _unpack "${@:2}"; }
_unpack() { _npm pack "$1" && tar -xzf ./*.tgz --no-same-owner "${@:2}"; }

# _npm_install FOLDER PACKAGE…: PACKAGEs and what they depend on, in build/npm/FOLDER/node_modules.
_npm_install() { _npm_fetch "$1" "${*:2}" _install "${@:2}"; }
_install() {
  mkdir package && printf '{ "private": true }\n' >package/package.json &&
    _npm install --prefix package --ignore-scripts --no-audit --no-fund --no-package-lock "$@"
}
