# Programs that a script starts, talks to through their stdin, and ends. Only its own children are ever signalled.
# shellcheck shell=bash

declare -A child_pid=() child_stdin=() child_stdout=() child_seen=()

# wait_until SECONDS COMMAND…: polls until COMMAND succeeds; returns 1 when the time is up.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS <= deadline)) || return 1
    sleep 0.02
  done
}

# child_start NAME FOLDER COMMAND…: starts COMMAND with its stdin held open, its stdout in FOLDER/NAME.out and its
# stderr in FOLDER/NAME.err.
child_start() {
  local name=$1 folder=$2 fifo writer reader fd
  shift 2
  mkdir -p "$folder"
  fifo=$folder/$name.in
  rm -f "$fifo" "$folder/$name.out" "$folder/$name.err"
  mkfifo "$fifo"
  : >"$folder/$name.out"
  exec {writer}<>"$fifo"
  exec {reader}<"$fifo"
  (
    # An inherited writing end, its own or a sibling's, would keep the end of file away.
    trap - EXIT
    for fd in "$writer" "${child_stdin[@]}"; do exec {fd}>&-; done
    exec "$@" <&"$reader" {reader}<&- >"$folder/$name.out" 2>"$folder/$name.err"
  ) &
  child_pid[$name]=$! child_stdin[$name]=$writer child_stdout[$name]=$folder/$name.out child_seen[$name]=0
  exec {reader}<&-
}

# child_say NAME LINE: writes LINE to its stdin.
child_say() { printf '%s\n' "$2" >&"${child_stdin[$1]}"; }

# child_alive NAME: it has not ended by itself.
child_alive() { ! _gone "${child_pid[$1]}"; }

_child_has_line() {
  (($(wc -l <"${child_stdout[$1]}") > ${child_seen[$1]})) || ! child_alive "$1"
}

# child_line NAME SECONDS: sets `line` to the next line of its stdout; returns 1 if none comes.
child_line() {
  local name=$1
  line=''
  wait_until "$2" _child_has_line "$name" || return 1
  line=$(sed -n "$((child_seen[$name] + 1))p" "${child_stdout[$name]}")
  [[ -n $line ]] || return 1
  child_seen[$name]=$((child_seen[$name] + 1))
}

# child_finish NAME: closes its stdin, waits for its end and returns its exit status (124 if it had to be killed).
child_finish() {
  local name=$1 status=0
  local fd=${child_stdin[$name]} pid=${child_pid[$name]}
  exec {fd}>&-
  if wait_until 20 _gone "$pid"; then
    wait "$pid" || status=$?
  else
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    status=124
  fi
  unset "child_pid[$name]" "child_stdin[$name]"
  return "$status"
}

# child_end NAME: ends it now, whatever it is doing.
child_end() {
  local fd=${child_stdin[$1]:-}
  [[ -z $fd ]] || exec {fd}>&-
  kill "${child_pid[$1]}" 2>/dev/null || true
  wait_until 5 _gone "${child_pid[$1]}" || kill -KILL "${child_pid[$1]}" 2>/dev/null || true
  wait "${child_pid[$1]}" 2>/dev/null || true
  unset "child_pid[$1]" "child_stdin[$1]"
}

# children_end: ends what is still running. Meant for a trap on EXIT.
children_end() {
  local name
  for name in "${!child_pid[@]}"; do child_end "$name"; done
}

# A finished child stays a zombie until it is waited for.
_gone() { [[ ! -e /proc/$1/stat || $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == Z* ]]; }
