// The PKCS#11 v3.0 declarations, the way this project includes them: OASIS's headers as shipped by
// NSS.
#pragma once

#include <pkcs11.h>

#include <span>
#include <string>
#include <string_view>

namespace hsmtls::pkcs11 {

struct named_rv {
  std::string_view name;
  CK_RV value;
};

// `rv_names` returns every CKR_* value that the header names.
std::span<const named_rv> rv_names();

// `rv_name` returns the header's name of `rv` ("CKR_PIN_INCORRECT"), or its number ("0x80000001").
std::string rv_name(CK_RV rv);

// `mechanism_name` returns the header's name of a signature mechanism ("CKM_ECDSA"), or the number
// of any other.
std::string mechanism_name(CK_MECHANISM_TYPE type);

// `unpadded` returns one of PKCS#11's fixed-width text fields ("padded with the blank character",
// PKCS#11 v3.1 section 3.1) without its padding.
template <size_t Size>
std::string unpadded(const CK_UTF8CHAR (&field)[Size]) {
  size_t length = Size;
  while (length > 0 && (field[length - 1] == ' ' || field[length - 1] == '\0')) --length;
  return {reinterpret_cast<const char*>(field), length};
}

}  // namespace hsmtls::pkcs11
