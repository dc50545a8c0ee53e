#!/bin/sh
# Runs a test file with a version of Node.js, as a device whose keys are in a token.
#
#   run.sh HSMTLS_WITH_DEVICE NODE FILE
skip() {
  echo "skipped: $*"
  exit 77
}
[ -n "$NODE_PATH" ] || skip 'hsmtls.node was not built (npm: node-addon-api, node-api-headers)'
[ -x "$2" ] || skip "this Node.js is not there: $2"
exec "$1" "$2" "$3"
