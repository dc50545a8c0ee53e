#include "core/pkcs11/token/identity.hpp"

#include <thread>

#include "core/pkcs11/base/deadline.hpp"
#include "core/pkcs11/vendor/vendor_module.hpp"

namespace hsmtls::pkcs11 {

CK_RV read_token_info(const CK_FUNCTION_LIST& vendor, CK_SLOT_ID slot, CK_TOKEN_INFO& info) {
  constexpr int most_tries = 5;
  CK_RV rv = CKR_GENERAL_ERROR;
  for (int i = 0; i < most_tries; ++i) {
    rv = invoke(vendor.C_GetTokenInfo, slot, &info);
    const bool half_read = rv == CKR_OK && !token_identity::of(info).complete();
    if (!half_read && rv != CKR_GENERAL_ERROR) return rv;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return rv;  // some tokens have no serial
}

}  // namespace hsmtls::pkcs11
