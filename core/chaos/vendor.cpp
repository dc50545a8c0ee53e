#include "vendor.hpp"

#include <dlfcn.h>

#include <cstring>

#include "names.hpp"

namespace hsmtls::chaos {

std::string vendor_module::load(const std::string& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return dlerror();
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(handle, "C_GetFunctionList"));
  if (get_list == nullptr) return file + ": not a PKCS#11 module (no C_GetFunctionList)";
  if (get_list == &C_GetFunctionList) return file + ": this is the chaos module itself";

  CK_FUNCTION_LIST* list = nullptr;
  if (const CK_RV rv = get_list(&list); rv != CKR_OK || list == nullptr) {
    return file + ": C_GetFunctionList returned " + rv_name(rv);
  }
  version_2 = list->version;
  // PKCS#11 v3.0 section 3.4: the v3.0 list begins with the v2.40 list.
  std::memcpy(&functions, list, sizeof *list);

  const auto get_interface = reinterpret_cast<CK_C_GetInterface>(dlsym(handle, "C_GetInterface"));
  if (get_interface == nullptr) return {};
  CK_UTF8CHAR name[] = "PKCS 11";
  CK_VERSION wanted = {3, 0};
  CK_INTERFACE* found = nullptr;
  if (get_interface(name, &wanted, &found, 0) == CKR_OK && found != nullptr) {
    has_3_0 = true;
    flags_3_0 = found->flags;
    std::memcpy(&functions, found->pFunctionList, sizeof functions);
  }
  return {};
}

std::vector<CK_SLOT_ID> vendor_module::slots() const {
  CK_ULONG count = 0;
  if (functions.C_GetSlotList(CK_FALSE, nullptr, &count) != CKR_OK) return {};
  std::vector<CK_SLOT_ID> found(count);
  if (functions.C_GetSlotList(CK_FALSE, found.data(), &count) != CKR_OK) return {};
  found.resize(count);
  return found;
}

}  // namespace hsmtls::chaos
