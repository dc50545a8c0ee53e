# Configuring and building the trees below build/.
# shellcheck shell=bash

HSMTLS_JOBS=${HSMTLS_JOBS:-$(nproc)}
export HSMTLS_JOBS

# _hold_tree NAME: until this subshell ends, nobody else configures or builds build/NAME with these scripts.
_hold_tree() {
  local lock
  mkdir -p build/log
  exec {lock}>"build/log/$1.lock"
  flock "$lock"
}

# build_preset NAME [TARGET…]: configures build/NAME and builds everything in it, or the targets.
build_preset() {
  local preset=$1 started=$SECONDS
  shift
  local tree=$HSMTLS_ROOT/build/$preset target
  local -a targets=()
  for target in "$@"; do targets+=(--target "$target"); done
  (
    cd "$HSMTLS_ROOT"
    _hold_tree "$preset" &&
      quietly "build/log/$preset-configure.log" cmake --preset "$preset" &&
      quietly "build/log/$preset-build.log" cmake --build "$tree" -j "$HSMTLS_JOBS" "${targets[@]}"
  ) || return 1
  say "built build/$preset in $((SECONDS - started)) s"
}

# build_fuzz: the libFuzzer programs (targets hsmtls-fuzz-*, and hsmtls-replay-* for their corpora) in build/fuzz.
build_fuzz() {
  local clang started=$SECONDS tree=$HSMTLS_ROOT/build/fuzz target
  local -a targets=()
  clang=$(fuzz_compiler) || return 1
  (
    cd "$HSMTLS_ROOT"
    _hold_tree fuzz || return 1
    quietly build/log/fuzz-configure.log env CC="$clang" CXX="${clang/clang/clang++}" \
      cmake -S . -B "$tree" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DHSMTLS_DEV=ON -DHSMTLS_TESTS=ON -DHSMTLS_FUZZ=ON || return 1
    for target in $(cmake --build "$tree" --target help | sed -nE 's/^(hsmtls-(fuzz|replay)-[^:]*): phony.*/\1/p' | sort -u); do
      targets+=(--target "$target")
    done
    quietly build/log/fuzz-build.log cmake --build "$tree" -j "$HSMTLS_JOBS" "${targets[@]}"
  ) || return 1
  say "built build/fuzz with $clang in $((SECONDS - started)) s"
}

# fuzz_compiler: prints the clang to use, or returns 1.
fuzz_compiler() {
  local clang runtime
  for clang in clang-14 clang-19 clang-18 clang-17 clang-16 clang-15 clang; do
    { command -v "$clang" && command -v "${clang/clang/clang++}"; } >/dev/null || continue
    runtime=$("$clang" -print-file-name="libclang_rt.fuzzer-$(uname -m).a")
    [[ $runtime == /* && -e $runtime ]] || runtime=$("$clang" -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer-$(uname -m).a
    [[ -e $runtime ]] && printf '%s\n' "$clang" && return 0
  done
  return 1
}
