// call_module MODULE: looks for the v3.0 interface and initialises, as pkcs11-tool does; writes
// what C_Initialize answered. Exits with 0 whatever that was.
#include <cstdio>

#include "tests/support/module.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const hsmtls::test::module_under_test module(argv[1]);
    module.functions_3_0();
    const CK_RV rv = module->C_Initialize(nullptr);
    std::printf("C_Initialize: 0x%lx\n", static_cast<unsigned long>(rv));
    if (rv == CKR_OK) module->C_Finalize(nullptr);
    return 0;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
