// A PKCS#11 module as a test sees it: a file, opened the way applications open it.
#pragma once

#include <dlfcn.h>
#include <pkcs11.h>

#include <stdexcept>
#include <string>

namespace hsmtls::test {

// `module_under_test` loads the PKCS#11 module `file`. It stays loaded for the life of the process,
// as few modules survive being unloaded. Throws std::runtime_error if it cannot be loaded.
class module_under_test {
 public:
  explicit module_under_test(const std::string& file)
      : file_(file), handle_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
    const auto get_list = symbol<CK_C_GetFunctionList>("C_GetFunctionList");
    if (get_list == nullptr) throw std::runtime_error(file + ": no C_GetFunctionList");
    if (const CK_RV rv = get_list(&functions_); rv != CKR_OK) {
      throw std::runtime_error(file + ": C_GetFunctionList returned " + std::to_string(rv));
    }
  }

  const std::string& file() const { return file_; }
  CK_FUNCTION_LIST* functions() const { return functions_; }
  CK_FUNCTION_LIST* operator->() const { return functions_; }

  // `functions_3_0` returns the v3.0 list, or null if the module offers none.
  CK_FUNCTION_LIST_3_0* functions_3_0() const {
    const auto get_interface = symbol<CK_C_GetInterface>("C_GetInterface");
    if (get_interface == nullptr) return nullptr;
    CK_UTF8CHAR name[] = "PKCS 11";
    CK_VERSION version = {3, 0};
    CK_INTERFACE* found = nullptr;
    if (get_interface(name, &version, &found, 0) != CKR_OK || found == nullptr) return nullptr;
    return static_cast<CK_FUNCTION_LIST_3_0*>(found->pFunctionList);
  }

  // `symbol` returns an exported function by name, or null.
  template <class Function>
  Function symbol(const char* name) const {
    return reinterpret_cast<Function>(dlsym(handle_, name));
  }

 private:
  std::string file_;
  void* handle_;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

}  // namespace hsmtls::test
