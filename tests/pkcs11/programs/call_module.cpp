// call_module MODULE [URI]: looks for the v3.0 interface and initialises, as pkcs11-tool does;
// writes what C_Initialize answered and how many tokens there are. With a URI it opens that key
// through the private face before that, and writes the answer. Exits with 0 whatever that was.
#include <cstdio>

#include "core/pkcs11/private/hsmtls_pkcs11.h"
#include "tests/support/module.hpp"

namespace {

void open_key(const hsmtls::test::module_under_test& module, const char* uri) {
  const auto get = module.symbol<const hsmtls_p11_functions* (*)()>("hsmtls_pkcs11_functions");
  const hsmtls_p11_functions* face = get != nullptr ? get() : nullptr;
  if (face == nullptr) throw std::runtime_error("no private face");
  hsmtls_p11_key* key = nullptr;
  hsmtls_p11_error error{};
  const int code = face->key_open(uri, nullptr, 0, &key, &error);
  std::printf("key_open: %d %s\n", code, code == HSMTLS_P11_OK ? "" : error.message);
  if (key != nullptr) face->key_release(key);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) return 2;
  try {
    const hsmtls::test::module_under_test module(argv[1]);
    if (argc == 3) open_key(module, argv[2]);
    module.functions_3_0();
    const CK_RV rv = module->C_Initialize(nullptr);
    std::printf("C_Initialize: 0x%lx\n", static_cast<unsigned long>(rv));
    if (rv != CKR_OK) return 0;
    CK_ULONG tokens = 0;
    const CK_RV listed = module->C_GetSlotList(CK_TRUE, nullptr, &tokens);
    std::printf("C_GetSlotList: 0x%lx, %lu tokens\n", static_cast<unsigned long>(listed), tokens);
    module->C_Finalize(nullptr);
    return 0;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
