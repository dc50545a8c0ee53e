// A PKCS#11 module that tells whose `hsmtls_test_where` it calls: its own (RTLD_DEEPBIND), or that
// of the program that it is loaded into. C_Initialize writes the word to stdout.
#include <pkcs11.h>

#include <cstdio>

extern "C" __attribute__((visibility("default"), noinline)) const char* hsmtls_test_where() {
  return "own";
}

namespace {

CK_RV initialise(CK_VOID_PTR) {
  std::printf("bound to: %s\n", hsmtls_test_where());
  std::fflush(stdout);  // who knows how the program ends
  return CKR_OK;
}

CK_RV finalise(CK_VOID_PTR) {
  return CKR_OK;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  static CK_FUNCTION_LIST list = [] {
    CK_FUNCTION_LIST made{};
    made.version = {2, 40};
    made.C_Initialize = initialise;
    made.C_Finalize = finalise;
    return made;
  }();
  *out = &list;
  return CKR_OK;
}
