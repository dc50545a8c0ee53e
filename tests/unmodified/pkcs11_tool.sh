#!/usr/bin/env bash
# OpenSC's pkcs11-tool --test --login: all its checks come out as on the bare module; also when the sessions are lost
# under it. With an EC key, it does not sign: pkcs11_tool_rsa.sh does.
# shellcheck source=tests/unmodified/pkcs11_tool_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/pkcs11_tool_lib.sh"
need pkcs11-tool
make_token
same_on_both_sides
same_when_lost_before C_FindObjectsInit
