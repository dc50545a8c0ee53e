#!/bin/sh
# Every C and C++ file in git is formatted as .clang-format says. Other versions of clang-format decide otherwise in
# places, so it takes 14.
set -eu
skip() { echo "skipped: $*"; exit 77; }
for format in clang-format-14 clang-format; do
  ! "$format" --version 2>/dev/null | grep -q 'version 14\.' || break
  format=''
done
[ -n "$format" ] || skip "clang-format-14 is not installed"
git rev-parse --git-dir >/dev/null 2>&1 || skip "this is no git work tree"
git ls-files -z -- '*.c' '*.h' '*.cpp' '*.hpp' | xargs -0 "$format" --dry-run -Werror
