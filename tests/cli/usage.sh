#!/usr/bin/env bash
# The command line itself: --help, --version, wrong usage.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

passes --version
prints '^hsmtls [0-9]+\.[0-9]+\.[0-9]+ \(OpenSSL 3'
passes --help
prints 'Exit status: 0 all right, 1 it failed, 2 wrong usage'
for command in tokens list keygen csr import delete init pin pem connect doctor; do
  prints "^ +$command "
done
for command in tokens list keygen csr import delete init pin pem connect doctor; do
  passes "$command" --help
  prints '^Examples:$'
  prints "^  hsmtls $command"
  ! grep -q -- '--pin ' "$scratch/out" || fail "$command takes a PIN as an argument"
  passes --help
done

refuses 2 'subcommand is required.* See: hsmtls --help'
refuses 2 "there is no subcommand 'frobnicate'. See: hsmtls --help" frobnicate
refuses 2 "there is no subcommand 'conect'; did you mean 'connect'\? See: hsmtls --help" conect localhost:1 --key pkcs11:token=edge
refuses 2 "not expected: '--frobnicate'. See: hsmtls --help" --frobnicate
refuses 2 "not expected: '--frobnicate'. See: hsmtls tokens --help" tokens --frobnicate
refuses 2 'URI is required.* See: hsmtls list --help' list
refuses 2 '--subject is required' csr pkcs11:token=edge --out -
refuses 2 '--out is required' pem pkcs11:token=edge
refuses 2 '--key is required' connect localhost:1
refuses 2 "'elliptic' is none of ec-p256" keygen pkcs11:token=edge --type elliptic
refuses 2 "'localhost' is not HOST:PORT" connect localhost --key pkcs11:token=edge
refuses 2 "'localhost:0' is not HOST:PORT" connect localhost:0 --key pkcs11:token=edge
refuses 2 "'::1:443' is not HOST:PORT" connect ::1:443 --key pkcs11:token=edge
refuses 2 "'1.1' is neither" connect localhost:1 --key pkcs11:token=edge --tls 1.1
refuses 2 "'CN' is not of the form" csr pkcs11:token=edge --subject CN --out -
refuses 2 "does not take 'XY=a'" csr pkcs11:token=edge --subject XY=a --out -
refuses 2 "'IP:300.1.1.1' is no address" csr pkcs11:token=edge --subject CN=a --san IP:300.1.1.1 --out -
refuses 2 "begins with none of DNS:" csr pkcs11:token=edge --subject CN=a --san dirName:x --out -
for subject in CN=a+O=b 'CN=a + O=b' /O=c/CN=a+O=b; do
  refuses 2 "' ?\+ ?O=b' would be a second name.*written .\+" csr pkcs11:token=edge --subject "$subject" --out -
done
refuses 2 "'#0c0161' would be the bytes.*written .#" csr pkcs11:token=edge --subject 'CN=#0c0161' --out -
refuses 2 'does not take' csr pkcs11:token=edge --subject 'CN=\C3' --out -
json_refuses 2 BAD_ARGUMENT list

printf '%s\n' "-- what may be a PIN is not repeated"
pin=Gnu-1905-pin
refuses 2 "not expected: 'pkcs11:token=edge'" tokens "pkcs11:token=edge?pin-value=$pin"
json_refuses 2 BAD_ARGUMENT tokens "pkcs11:token=edge?pin-value=$pin"
refuses 2 "no subcommand 'pkcs11:token=edge'" "pkcs11:token=edge?pin-value=$pin"
refuses 2 "not expected: a word" list pkcs11:token=edge "$pin"
refuses 2 "not expected: '--pin'" list pkcs11:token=edge --pin "$pin"
refuses 2 "not expected: '--pin'" list pkcs11:token=edge "--pin=$pin"
refuses 2 "not expected: '-p'" list pkcs11:token=edge "-p$pin"
no_pin_was_shown "$pin"
json_refuses 2 BAD_ARGUMENT csr pkcs11:token=edge --subject CN --out -
