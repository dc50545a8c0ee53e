# What packages and tests need and no distribution has: another Node.js and the headers of Node-API, below build/npm; what
# compiling for .NET 8 needs, in build/nuget-packages.
# shellcheck shell=bash

# hosts_fetch: fetches with npm and NuGet what is missing. Says why for each that cannot be had, and succeeds.
hosts_fetch() {
  local arch
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) arch='' ;;
  esac
  _npm_unpack node-api-headers node-api-headers@1 package/include
  [[ -z $arch ]] || _npm_unpack node-24 "node-linux-$arch@24" package/bin/node package/LICENSE
  _nuget_fetch
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
