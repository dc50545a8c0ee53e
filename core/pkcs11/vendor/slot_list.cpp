#include "core/pkcs11/vendor/slot_list.hpp"

#include <algorithm>

#include "core/pkcs11/vendor/vendor_module.hpp"

namespace hsmtls::pkcs11 {
namespace {

// Tokens may be plugged in between the two calls, but not for ever.
constexpr int most_tries = 8;

}  // namespace

CK_RV list_slots(const CK_FUNCTION_LIST& vendor, bool with_token, std::vector<CK_SLOT_ID>& out) {
  const CK_BBOOL present = with_token ? CK_TRUE : CK_FALSE;
  CK_RV rv = CKR_OK;
  for (int tries = 0; tries < most_tries; ++tries) {
    out.clear();
    CK_ULONG count = 0;
    // PKCS#11 v3.1 C_GetSlotList: only a call with a null list makes the module look for new slots.
    rv = invoke(vendor.C_GetSlotList, present, nullptr, &count);
    if (rv != CKR_OK) return rv;
    if (count > most_slots) return CKR_GENERAL_ERROR;
    out.resize(count);
    rv = invoke(vendor.C_GetSlotList, present, out.data(), &count);
    if (rv == CKR_BUFFER_TOO_SMALL) continue;
    // A vendor that says more than there was room for has not written more.
    out.resize(rv == CKR_OK ? std::min<size_t>(count, out.size()) : 0);
    return rv;
  }
  out.clear();
  return rv;
}

}  // namespace hsmtls::pkcs11
