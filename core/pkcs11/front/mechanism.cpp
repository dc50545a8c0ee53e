#include "core/pkcs11/front/mechanism.hpp"

namespace hsmtls::pkcs11 {
namespace {

// Whether the parameter of `type`, of `length` bytes, is plain memory without pointers (PKCS#11
// v3.1 section 6: CK_RSA_PKCS_PSS_PARAMS, CK_MAC_GENERAL_PARAMS; an IV is a bare byte string).
bool is_plain(CK_MECHANISM_TYPE type, CK_ULONG length) {
  switch (type) {
    case CKM_RSA_PKCS_PSS:
    case CKM_SHA1_RSA_PKCS_PSS:
    case CKM_SHA224_RSA_PKCS_PSS:
    case CKM_SHA256_RSA_PKCS_PSS:
    case CKM_SHA384_RSA_PKCS_PSS:
    case CKM_SHA512_RSA_PKCS_PSS:
      return length == sizeof(CK_RSA_PKCS_PSS_PARAMS);
    case CKM_SHA_1_HMAC_GENERAL:
    case CKM_SHA224_HMAC_GENERAL:
    case CKM_SHA256_HMAC_GENERAL:
    case CKM_SHA384_HMAC_GENERAL:
    case CKM_SHA512_HMAC_GENERAL:
    case CKM_AES_MAC_GENERAL:
    case CKM_AES_CMAC_GENERAL:
      return length == sizeof(CK_MAC_GENERAL_PARAMS);
    case CKM_AES_CBC:
    case CKM_AES_CBC_PAD:
      return length == 16;
    case CKM_DES3_CBC:
    case CKM_DES3_CBC_PAD:
      return length == 8;
    default:
      return false;
  }
}

}  // namespace

kept_mechanism::kept_mechanism(const CK_MECHANISM& original) : type_(original.mechanism) {
  if (original.pParameter == nullptr || original.ulParameterLen == 0) {
    replayable_ = true;
  } else if (is_plain(original.mechanism, original.ulParameterLen)) {
    const auto* start = static_cast<const uint8_t*>(original.pParameter);
    parameter_.assign(start, start + original.ulParameterLen);
    replayable_ = true;
  }
}

kept_mechanism kept_mechanism::borrowed(const CK_MECHANISM& original) {
  kept_mechanism one;
  one.type_ = original.mechanism;
  one.borrowed_ = original.pParameter;
  one.borrowed_length_ = original.ulParameterLen;
  return one;
}

CK_MECHANISM kept_mechanism::get() {
  if (borrowed_ != nullptr) return {type_, borrowed_, borrowed_length_};
  return {type_,
          parameter_.empty() ? nullptr : parameter_.data(),
          static_cast<CK_ULONG>(parameter_.size())};
}

}  // namespace hsmtls::pkcs11
