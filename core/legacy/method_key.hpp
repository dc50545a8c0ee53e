// An EVP_PKEY of libp11's for a key of the token layer.
#pragma once

#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::legacy {

// The view that libp11 sees the key through; closes it.
class method_key {
 public:
  // Throws refusal.
  method_key(hsmtls_p11_key* key, const hsmtls_p11_functions* face, const void* in_libcrypto);
  ~method_key();
  method_key(const method_key&) = delete;
  method_key& operator=(const method_key&) = delete;

  // EVP_PKEY*, one reference, for one caller.
  [[nodiscard]] void* evp_pkey() const { return evp_pkey_; }

 private:
  const hsmtls_p11_functions* const face_;
  hsmtls_p11_view* view_ = nullptr;
  void* evp_pkey_ = nullptr;
};

}  // namespace hsmtls::legacy
