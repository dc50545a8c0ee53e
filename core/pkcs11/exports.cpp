// The three symbols that an application finds by dlsym. They lead to the copy of this library that
// owns the state: this one, or one that was loaded before (runtime/instance.hpp).
#include <dlfcn.h>

#include "core/pkcs11/front/application.hpp"
#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/private/function_table.hpp"
#include "core/pkcs11/runtime/instance.hpp"

namespace hsmtls::pkcs11 {
namespace {

const instance_record& this_copy() {
  static const instance_record record = [] {
    Dl_info here{};
    dladdr(reinterpret_cast<const void*>(&this_copy), &here);
    return instance_record{instance_abi_version,
                           here.dli_fname,
                           front::C_GetFunctionList,
                           front::C_GetInterfaceList,
                           front::C_GetInterface,
                           private_functions()};
  }();
  return record;
}

[[gnu::constructor]] void publish_at_load() {
  publish(this_copy());
}

}  // namespace
}  // namespace hsmtls::pkcs11

#define HSMTLS_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

// Whoever called us by dlsym may be C: no exception leaves.
template <class Forward>
CK_RV with_owner(Forward&& forward) {
  return hsmtls::pkcs11::contained([&]() -> CK_RV {
    const auto* owner = hsmtls::pkcs11::owner();
    return owner != nullptr ? forward(*owner) : CKR_GENERAL_ERROR;
  });
}

}  // namespace

HSMTLS_EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  return with_owner([&](const auto& owner) { return owner.get_function_list(out); });
}

HSMTLS_EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE* out, CK_ULONG* count) {
  return with_owner([&](const auto& owner) { return owner.get_interface_list(out, count); });
}

HSMTLS_EXPORT CK_RV C_GetInterface(CK_UTF8CHAR* name,
                                   CK_VERSION* version,
                                   CK_INTERFACE** out,
                                   CK_FLAGS flags) {
  return with_owner(
      [&](const auto& owner) { return owner.get_interface(name, version, out, flags); });
}
