// A caller's way to log in, as the token layer takes it.
#pragma once

#include <string>

#include "bindings/c/guard.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::c {

// Points into what it was made of: good for the length of a call.
class login {
 public:
  // Throws failure (BAD_ARGUMENT, MODULE_UNUSABLE). Brings the module in, if one is named.
  login(const hsmtls_login* from, const char* module);
  [[nodiscard]] const hsmtls_p11_login* get() const { return &made_; }

 private:
  hsmtls_p11_login made_{};
};

}  // namespace hsmtls::c
