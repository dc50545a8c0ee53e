// host MODULE: a program into which hsmtls is loaded; see CMakeLists.txt for its three forms.
#include <cstdio>

#ifdef HOST_USES_LIBCRYPTO
#include <openssl/crypto.h>
// Taking the address makes the linker give the program a PLT entry that counts as the function's
// address everywhere.
volatile auto address_of_libcrypto = &OPENSSL_init_crypto;
#endif

#include "tests/support/module.hpp"

extern "C" __attribute__((visibility("default"))) const char* hsmtls_test_where() {
  return "program";
}

#ifdef HOST_DEFINES_LIBCRYPTO
extern "C" __attribute__((visibility("default"))) int OPENSSL_init_crypto() {
  return 1;
}
#endif

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const hsmtls::test::module_under_test module(argv[1]);
    return module->C_Initialize(nullptr) == CKR_OK ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
