// The function lists that the chaos module hands out.
#include "fixture.hpp"

namespace hsmtls::test {
namespace {

class Interfaces : public chaos_over_stub {
 protected:
  CK_RV get(const char* name, CK_VERSION version, void** out_list) {
    const auto get_interface = module.symbol<CK_C_GetInterface>("C_GetInterface");
    std::string text = name;
    CK_INTERFACE* found = nullptr;
    const CK_RV rv = get_interface(utf8(text), &version, &found, 0);
    if (rv == CKR_OK) *out_list = found->pFunctionList;
    return rv;
  }
};

TEST_F(Interfaces, AreTheVendorsVersions) {
  void* list = nullptr;
  EXPECT_EQ(get("PKCS 11", {2, 40}, &list), CKR_OK);
  EXPECT_EQ(list, call);
  EXPECT_EQ(call->version.major, 2);
  EXPECT_EQ(call->version.minor, 40);
  EXPECT_EQ(get("PKCS 11", {3, 0}, &list), CKR_OK);
  EXPECT_EQ(list, module.functions_3_0());
  EXPECT_EQ(get("PKCS 11", {9, 9}, &list), CKR_FUNCTION_FAILED);
  EXPECT_EQ(get("Vendor X", {3, 0}, &list), CKR_FUNCTION_FAILED);
}

TEST_F(Interfaces, AreListedInTheTwoCallWay) {
  const auto list = module.symbol<CK_C_GetInterfaceList>("C_GetInterfaceList");
  CK_INTERFACE found[4];
  CK_ULONG count = 0;
  EXPECT_EQ(list(nullptr, &count), CKR_OK);
  EXPECT_EQ(count, 2U);
  count = 1;
  EXPECT_EQ(list(found, &count), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(list(found, &count), CKR_OK);
  EXPECT_EQ(found[0].pFunctionList, module.functions_3_0());
  EXPECT_EQ(found[1].pFunctionList, call);
}

TEST_F(Interfaces, AreWrappedInEveryVersion) {
  const module_under_test vendor(HSMTLS_TEST_STUB_VENDOR);
  CK_FUNCTION_LIST_3_0* ours = module.functions_3_0();
  CK_FUNCTION_LIST_3_0* theirs = vendor.functions_3_0();
#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name)      \
  EXPECT_NE(ours->name, nullptr) << #name; \
  EXPECT_NE(ours->name, theirs->name) << #name;
#include <pkcs11f.h>
#define CK_PKCS11_2_0_ONLY 1
#undef CK_PKCS11_FUNCTION_INFO
#define CK_PKCS11_FUNCTION_INFO(name) EXPECT_EQ(call->name, ours->name) << #name;
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_2_0_ONLY
#undef CK_PKCS11_3_0
}

TEST_F(Interfaces, CanBeMadeToFail) {
  control.run("fail C_GetInterface 1 CKR_FUNCTION_NOT_SUPPORTED");
  EXPECT_EQ(module.functions_3_0(), nullptr);
  EXPECT_NE(module.functions_3_0(), nullptr);
}

}  // namespace
}  // namespace hsmtls::test
