# The PKCS#11 calls that the programs of a test made, as the chaos module counted them in front of the vendor's.
# shellcheck shell=bash disable=SC2154  # scratch

# forget_calls: counting begins here.
forget_calls() {
  rm -rf "$scratch/counts"
  mkdir -p "$scratch/counts"
}

# calls WHAT: prints how many there were since, in all processes that have ended. WHAT is "C_Sign", "C_Login CKR_OK" or
# "total".
calls() {
  find "$scratch/counts" -type f -exec cat {} + |
    awk -v what="$1" '{ count = $NF; sub(/ [0-9]+$/, ""); if ($0 == what) sum += count } END { print sum + 0 }'
}

# made WHAT HOW-MANY / made_some WHAT
made() {
  local number
  number=$(calls "$1")
  printf '    %s: %s\n' "$1" "$number"
  ((number == $2)) || fail "$1 was to be called $2 times, not $number"
}
made_some() { (($(calls "$1") > 0)) || fail "$1 was never called"; }
