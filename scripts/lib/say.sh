# What the scripts print, and how they give up. Sourced; needs bash.
# shellcheck shell=bash

if [[ -t 1 && -z ${NO_COLOR:-} && ${CI:-} != true ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi

# headline TEXT: the start of a step.
headline() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

# say TEXT: one indented line.
say() { printf '   %s\n' "$*"; }

# note TEXT: an indented line of lesser weight.
note() { printf '   %s%s%s\n' "$dim" "$*" "$plain"; }

# field NAME VALUE: a line of a fact sheet.
field() { printf '   %-14s %s\n' "$1" "$2"; }

# warn TEXT: to stderr, and on we go.
warn() { printf '%s%s: %s%s\n' "$red" "${0##*/}" "$*" "$plain" >&2; }

# die TEXT: to stderr, then exit 1.
die() {
  warn "$*"
  exit 1
}

# quietly LOGFILE COMMAND…: runs it with its output in LOGFILE; shows the end of it only when the command fails.
quietly() {
  local log=$1 status=0
  shift
  mkdir -p "${log%/*}"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status != 0)); then
    tail -n 40 "$log" >&2
    warn "failed with status $status: $*  (all of its output: $log)"
  fi
  return "$status"
}

export dim green red plain bold
