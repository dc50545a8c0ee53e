// One signature with one key, through every loss until the deadline.
#pragma once

#include <span>

#include "core/pkcs11/private/hsmtls_pkcs11.h"
#include "core/pkcs11/token/object.hpp"

namespace hsmtls::pkcs11 {

// A signature_spec as PKCS#11 says it. Throws BAD_ARGUMENT.
class signature_mechanism {
 public:
  explicit signature_mechanism(const hsmtls_p11_signature_spec& spec);
  signature_mechanism(const signature_mechanism&) = delete;
  signature_mechanism& operator=(const signature_mechanism&) = delete;
  [[nodiscard]] const CK_MECHANISM& get() const { return mechanism_; }

 private:
  CK_RSA_PKCS_PSS_PARAMS pss_{};
  CK_MECHANISM mechanism_{};
};

// `single_signature` is C_SignInit and C_Sign, with C_Login(CKU_CONTEXT_SPECIFIC) between them for
// a key that is `always_authenticate`; repeated after a loss. `length`: capacity in, length out,
// also with CKR_BUFFER_TOO_SMALL.
CK_RV single_signature(token& behind,
                       object& key,
                       const CK_MECHANISM& mechanism,
                       bool always_authenticate,
                       std::span<const uint8_t> data,
                       uint8_t* out,
                       uint32_t& length,
                       time_point until);

}  // namespace hsmtls::pkcs11
