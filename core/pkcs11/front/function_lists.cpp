#include "core/pkcs11/front/function_lists.hpp"

#include <algorithm>

#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/runtime/runtime.hpp"

namespace hsmtls::pkcs11::front {
namespace {

CK_FUNCTION_LIST v2 = {
    {2, 40},
#define CK_PKCS11_2_0_ONLY 1
#define CK_PKCS11_FUNCTION_INFO(name) front::name,
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_2_0_ONLY
};

CK_FUNCTION_LIST_3_0 v3 = {
    {3, 0},
#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) front::name,
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0
};

CK_INTERFACE offered[] = {
    {reinterpret_cast<CK_CHAR*>(const_cast<char*>("PKCS 11")), &v3, CKF_INTERFACE_FORK_SAFE},
    {reinterpret_cast<CK_CHAR*>(const_cast<char*>("PKCS 11")), &v2, CKF_INTERFACE_FORK_SAFE},
};

}  // namespace

CK_FUNCTION_LIST* function_list() {
  return &v2;
}

bool offers_v3() {
  // An application asks for interfaces before C_Initialize: the modules have to be looked at now.
  runtime::current().load(face::front);
  const auto modules = runtime::current().modules(face::front);
  return std::any_of(modules.begin(), modules.end(), [](const vendor_module* one) {
    return one->functions_v3() != nullptr;
  });
}

std::span<CK_INTERFACE> interfaces() {
  const std::span all(offered);
  return offers_v3() ? all : all.subspan(1);
}

}  // namespace hsmtls::pkcs11::front
