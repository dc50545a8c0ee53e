#!/bin/sh
# Every shell script in git passes shellcheck.
set -eu
skip() { echo "skipped: $*"; exit 77; }
command -v shellcheck >/dev/null || skip "shellcheck is not installed"
git rev-parse --git-dir >/dev/null 2>&1 || skip "this is no git work tree"
# Programs by their first line; what is sourced by its "shellcheck shell=".
scripts=$(git grep -lE -e '^#!.*[/ ](ba)?sh$' -e '^# shellcheck shell=')
# shellcheck disable=SC2086  # no name holds a blank
shellcheck --external-sources $scripts
