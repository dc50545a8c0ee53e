# Programs for .NET, built with the package HsmTls as anybody would use it.
# shellcheck shell=bash

# dotnet_setup HOME PACKAGES NUGET: where .NET keeps what it keeps, where NuGet keeps packages, and where ours is.
dotnet_setup() {
  export DOTNET_CLI_HOME=$1 NUGET_PACKAGES=$2 RestoreAdditionalProjectSources=$3 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  mkdir -p "$1"
  # NuGet takes a version that it has unpacked once for the same for ever.
  rm -rf "$2/hsmtls"
}

# dotnet_build FOLDER PROJECT OPTION…: what is to be run is in FOLDER/run, what was said in FOLDER.log.
dotnet_build() {
  local folder=$1
  mkdir -p "$folder"
  "${HSMTLS_TEST_DOTNET_PROGRAM:-dotnet}" build "$2" --nologo --verbosity quiet --disable-build-servers \
    --artifacts-path "$folder/artifacts" --output "$folder/run" "${@:3}" >"$folder.log" 2>&1 </dev/null
}
