// How this library fails inside: turned into hsmtls_p11_error at its edge.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::legacy {

class refusal : public std::exception {
 public:
  refusal(hsmtls_p11_code code, std::string message) : code_(code), message_(std::move(message)) {}
  [[nodiscard]] hsmtls_p11_code code() const { return code_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  hsmtls_p11_code code_;
  std::string message_;
};

}  // namespace hsmtls::legacy
