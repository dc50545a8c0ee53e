// searching_host [global:FILE|local:FILE]…: a program that has no OpenSSL and says nothing about one.
// Loads the files, then needs one.
#include <cstdio>

#include "hsmtls/hsmtls.hpp"
#include "hsmtls/hsmtls_openssl.h"
#include "tests/hosts/programs/loaded_before.hpp"

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) hsmtls::test::load_before(argv[i]);
  hsmtls::diagnostics problem;
  hsmtls::write_reference_pem("pkcs11:object=device", problem);
  if (problem) std::printf("%s: %s\n", problem.name(), problem.message());
  std::printf("where: %s\n", hsmtls_openssl_where());
}
