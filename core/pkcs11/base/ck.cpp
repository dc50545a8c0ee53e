#include "core/pkcs11/base/ck.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace hsmtls::pkcs11 {

namespace {

std::string hexadecimal(unsigned long value) {
  char text[2 + 2 * sizeof value + 1];
  std::snprintf(text, sizeof text, "0x%lX", value);
  return text;
}

constexpr named_rv rows[] = {
#include "ckr_rows.inc"
};

}  // namespace

std::span<const named_rv> rv_names() {
  return rows;
}

std::string rv_name(CK_RV rv) {
  const auto* found = std::find_if(
      std::begin(rows), std::end(rows), [rv](const named_rv& row) { return row.value == rv; });
  return found != std::end(rows) ? std::string(found->name) : hexadecimal(rv);
}

#define HSMTLS_NAME(name) \
  case name:              \
    return #name;

std::string mechanism_name(CK_MECHANISM_TYPE type) {
  switch (type) {
    HSMTLS_NAME(CKM_RSA_PKCS)
    HSMTLS_NAME(CKM_RSA_X_509)
    HSMTLS_NAME(CKM_RSA_PKCS_PSS)
    HSMTLS_NAME(CKM_SHA256_RSA_PKCS)
    HSMTLS_NAME(CKM_SHA384_RSA_PKCS)
    HSMTLS_NAME(CKM_SHA512_RSA_PKCS)
    HSMTLS_NAME(CKM_SHA256_RSA_PKCS_PSS)
    HSMTLS_NAME(CKM_SHA384_RSA_PKCS_PSS)
    HSMTLS_NAME(CKM_SHA512_RSA_PKCS_PSS)
    HSMTLS_NAME(CKM_ECDSA)
    HSMTLS_NAME(CKM_ECDSA_SHA1)
    HSMTLS_NAME(CKM_ECDSA_SHA256)
    HSMTLS_NAME(CKM_ECDSA_SHA384)
    HSMTLS_NAME(CKM_ECDSA_SHA512)
    HSMTLS_NAME(CKM_EDDSA)
    default:
      return hexadecimal(type);
  }
}

#undef HSMTLS_NAME

}  // namespace hsmtls::pkcs11
