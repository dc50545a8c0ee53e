// C_Initialize, C_Finalize, C_GetInfo and the ways to the function lists (PKCS#11 v3.1 section
// 5.4).
#include <cstring>

#include "core/pkcs11/front/application.hpp"
#include "core/pkcs11/front/function_lists.hpp"
#include "core/pkcs11/front/functions.hpp"

namespace hsmtls::pkcs11::front {
namespace {

template <size_t Size>
void pad(CK_UTF8CHAR (&field)[Size], std::string_view text) {
  std::memset(field, ' ', Size);
  std::memcpy(field, text.data(), std::min(Size, text.size()));
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_Initialize(CK_VOID_PTR arguments) {
  return contained([&]() -> CK_RV {
    const auto* given = static_cast<const CK_C_INITIALIZE_ARGS*>(arguments);
    if (given != nullptr) {
      // PKCS#11 v3.1 C_Initialize: all four or none.
      const int callbacks = (given->CreateMutex != nullptr) + (given->DestroyMutex != nullptr) +
                            (given->LockMutex != nullptr) + (given->UnlockMutex != nullptr);
      if (callbacks != 0 && callbacks != 4) return CKR_ARGUMENTS_BAD;
    }
    // In the standard's own struct the member after the flags is pReserved.
    return application::current().initialise(given != nullptr ? given->LibraryParameters : nullptr);
  });
}

CK_RV C_Finalize(CK_VOID_PTR reserved) {
  return contained([&]() -> CK_RV {
    if (reserved != nullptr) return CKR_ARGUMENTS_BAD;
    return application::current().finalise();
  });
}

CK_RV C_GetInfo(CK_INFO* info) {
  return contained([&]() -> CK_RV {
    if (!application::current().initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    *info = {};
    info->cryptokiVersion = offers_v3() ? CK_VERSION{3, 0} : CK_VERSION{2, 40};
    info->libraryVersion = {HSMTLS_VERSION_MAJOR, HSMTLS_VERSION_MINOR};
    pad(info->manufacturerID, "hsmtls");
    pad(info->libraryDescription, "PKCS#11 with recovery");
    return CKR_OK;
  });
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  if (out == nullptr) return CKR_ARGUMENTS_BAD;
  *out = function_list();
  return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE* out, CK_ULONG* count) {
  return contained([&]() -> CK_RV {
    if (count == nullptr) return CKR_ARGUMENTS_BAD;
    const auto offered = interfaces();
    const CK_ULONG room = *count;
    *count = static_cast<CK_ULONG>(offered.size());
    if (out == nullptr) return CKR_OK;
    if (room < offered.size()) return CKR_BUFFER_TOO_SMALL;
    std::copy(offered.begin(), offered.end(), out);
    return CKR_OK;
  });
}

CK_RV C_GetInterface(CK_UTF8CHAR* name, CK_VERSION* version, CK_INTERFACE** out, CK_FLAGS flags) {
  return contained([&]() -> CK_RV {
    if (out == nullptr) return CKR_ARGUMENTS_BAD;
    for (CK_INTERFACE& one : interfaces()) {
      if (name != nullptr && std::strcmp(reinterpret_cast<const char*>(name),
                                         reinterpret_cast<const char*>(one.pInterfaceName)) != 0)
        continue;
      const auto* its = static_cast<const CK_VERSION*>(one.pFunctionList);
      if (version != nullptr && (version->major != its->major || version->minor != its->minor))
        continue;
      if ((flags & one.flags) != flags) continue;
      *out = &one;
      return CKR_OK;
    }
    return CKR_FUNCTION_FAILED;
  });
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
