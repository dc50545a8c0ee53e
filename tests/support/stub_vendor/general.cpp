// C_Initialize to C_GetMechanismInfo, and the function lists.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "mechanisms.hpp"
#include "vendor.hpp"

using namespace hsmtls::stub;

namespace {

// `copy_padded` writes `text` the way PKCS#11 wants its fixed fields: blanks, no terminating zero.
template <std::size_t N>
void copy_padded(CK_UTF8CHAR (&field)[N], std::string_view text) {
  std::memset(field, ' ', N);
  std::memcpy(field, text.data(), std::min(N, text.size()));
}

#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) &name,
CK_FUNCTION_LIST_3_0 list_3_0 = {
    {3, 0},
#include <pkcs11f.h>
};
#define CK_PKCS11_2_0_ONLY 1
CK_FUNCTION_LIST list_2_40 = {
    {2, 40},
#include <pkcs11f.h>
};
#undef CK_PKCS11_2_0_ONLY
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0

std::atomic<const void*> last_reserved{nullptr};

// A stub may pass for somebody else's module, for what is known about that.
std::string_view from_environment(const char* name, std::string_view otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::string_view(value);
}

CK_CHAR interface_name[] = "PKCS 11";
CK_INTERFACE interfaces[] = {{interface_name, &list_3_0, 0}, {interface_name, &list_2_40, 0}};

}  // namespace

extern "C" {

// `hsmtls_stub_reserved` returns the pReserved of the last C_Initialize that had arguments.
__attribute__((visibility("default"))) const void* hsmtls_stub_reserved() {
  return last_reserved;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  if (list == nullptr) return CKR_ARGUMENTS_BAD;
  *list = &list_2_40;
  return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetInterfaceList(CK_INTERFACE_PTR out,
                                                                CK_ULONG_PTR count) {
  if (count == nullptr) return CKR_ARGUMENTS_BAD;
  const CK_ULONG room = *count;
  *count = std::size(interfaces);
  if (out == nullptr) return CKR_OK;
  if (room < std::size(interfaces)) return CKR_BUFFER_TOO_SMALL;
  std::copy(std::begin(interfaces), std::end(interfaces), out);
  return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetInterface(CK_UTF8CHAR_PTR name,
                                                            CK_VERSION_PTR version,
                                                            CK_INTERFACE_PTR_PTR out,
                                                            CK_FLAGS flags) {
  if (out == nullptr) return CKR_ARGUMENTS_BAD;
  if (name != nullptr && std::strcmp(reinterpret_cast<const char*>(name), "PKCS 11") != 0) {
    return CKR_FUNCTION_FAILED;
  }
  for (CK_INTERFACE& each : interfaces) {
    const auto* offered = static_cast<const CK_VERSION*>(each.pFunctionList);
    const bool fits = version == nullptr ||
                      (version->major == offered->major && version->minor == offered->minor);
    if (fits && (each.flags & flags) == flags) {
      *out = &each;
      return CKR_OK;
    }
  }
  return CKR_FUNCTION_FAILED;
}

CK_RV C_Initialize(CK_VOID_PTR args) {
  if (const auto* given = static_cast<const CK_C_INITIALIZE_ARGS*>(args); given != nullptr) {
    // In the standard's own struct the member after the flags is pReserved.
    last_reserved = given->LibraryParameters;
  }
  vendor& all = vendor::instance();
  const std::lock_guard lock(all.mutex);
  if (all.initialized) return CKR_CRYPTOKI_ALREADY_INITIALIZED;
  all.start();
  return CKR_OK;
}

CK_RV C_Finalize(CK_VOID_PTR reserved) {
  if (reserved != nullptr) return CKR_ARGUMENTS_BAD;
  return in_module([](vendor& all) -> CK_RV {
    all.forget();
    return CKR_OK;
  });
}

CK_RV C_GetInfo(CK_INFO_PTR info) {
  return in_module([&](vendor&) -> CK_RV {
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    *info = {};
    info->cryptokiVersion = {3, 0};
    copy_padded(info->manufacturerID, from_environment("HSMTLS_STUB_MANUFACTURER", "hsmtls"));
    copy_padded(info->libraryDescription,
                from_environment("HSMTLS_STUB_DESCRIPTION", "stub vendor for tests"));
    info->libraryVersion = {1, 0};
    return CKR_OK;
  });
}

CK_RV C_GetSlotList(CK_BBOOL, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count) {
  return in_module([&](vendor& all) -> CK_RV {
    if (count == nullptr) return CKR_ARGUMENTS_BAD;
    const CK_ULONG room = *count;
    *count = all.tokens.size();
    if (slots == nullptr) return CKR_OK;
    if (room < all.tokens.size()) return CKR_BUFFER_TOO_SMALL;
    for (CK_SLOT_ID slot = 0; slot < all.tokens.size(); ++slot) slots[slot] = slot;
    return CKR_OK;
  });
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO_PTR info) {
  return in_module([&](vendor& all) -> CK_RV {
    const token* present = all.token_in(slot);
    if (present == nullptr) return CKR_SLOT_ID_INVALID;
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    *info = {};
    copy_padded(info->slotDescription, "stub slot of " + present->label);
    copy_padded(info->manufacturerID, "hsmtls");
    info->flags = CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE;
    return CKR_OK;
  });
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  return in_module([&](vendor& all) -> CK_RV {
    const token* present = all.token_in(slot);
    if (present == nullptr) return CKR_SLOT_ID_INVALID;
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    *info = {};
    copy_padded(info->label, present->label);
    copy_padded(info->manufacturerID, "hsmtls");
    copy_padded(info->model, "stub");
    std::memset(info->serialNumber, ' ', sizeof info->serialNumber);
    std::memcpy(info->serialNumber, present->serial.data(), present->serial.size());
    info->flags = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED;
    if (present->user_pin_set) info->flags |= CKF_USER_PIN_INITIALIZED;
    if (present->wrong_user_pins > 0) info->flags |= CKF_USER_PIN_COUNT_LOW;
    if (present->wrong_user_pins == max_wrong_pins - 1) info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (present->wrong_user_pins >= max_wrong_pins) info->flags |= CKF_USER_PIN_LOCKED;
    info->ulMaxSessionCount = all.max_sessions;  // 0 is CK_EFFECTIVELY_INFINITE
    info->ulSessionCount = all.count_sessions(slot);
    info->ulMaxRwSessionCount = all.max_sessions;
    info->ulRwSessionCount = all.count_sessions(slot, true);
    info->ulMaxPinLen = 64;
    info->ulMinPinLen = 4;
    info->ulTotalPublicMemory = info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
    info->ulTotalPrivateMemory = info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
    return CKR_OK;
  });
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR out, CK_ULONG_PTR count) {
  return in_module([&](vendor& all) -> CK_RV {
    if (all.token_in(slot) == nullptr) return CKR_SLOT_ID_INVALID;
    if (count == nullptr) return CKR_ARGUMENTS_BAD;
    const CK_ULONG room = *count;
    *count = std::size(mechanisms);
    if (out == nullptr) return CKR_OK;
    if (room < std::size(mechanisms)) return CKR_BUFFER_TOO_SMALL;
    for (const mechanism_entry& each : mechanisms) *out++ = each.type;
    return CKR_OK;
  });
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info) {
  return in_module([&](vendor& all) -> CK_RV {
    if (all.token_in(slot) == nullptr) return CKR_SLOT_ID_INVALID;
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    const mechanism_entry* found = find_mechanism(type);
    if (found == nullptr) return CKR_MECHANISM_INVALID;
    *info = {found->min_key, found->max_key, found->flags};
    return CKR_OK;
  });
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR slot, CK_VOID_PTR reserved) {
  return in_module([&](vendor&) -> CK_RV {
    if (slot == nullptr || reserved != nullptr) return CKR_ARGUMENTS_BAD;
    // Nothing ever happens to these slots, so a blocking wait would never end.
    return (flags & CKF_DONT_BLOCK) != 0 ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED;
  });
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE handle) {
  return in_session(handle, [](vendor&, session&) -> CK_RV { return CKR_FUNCTION_NOT_PARALLEL; });
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE handle) {
  return in_session(handle, [](vendor&, session&) -> CK_RV { return CKR_FUNCTION_NOT_PARALLEL; });
}

}  // extern "C"
