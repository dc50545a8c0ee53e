// The text of a URI for the token layer. It may hold a PIN (pin-value), so it is wiped.
#pragma once

#include <string.h>  // explicit_bzero

#include <string>

#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::keys {

class uri_text {
 public:
  explicit uri_text(const pkcs11::uri& uri) : text_(pkcs11::build_uri(uri)) {}
  ~uri_text() { explicit_bzero(text_.data(), text_.size()); }
  uri_text(const uri_text&) = delete;
  uri_text& operator=(const uri_text&) = delete;
  [[nodiscard]] const char* c_str() const { return text_.c_str(); }

 private:
  std::string text_;
};

}  // namespace hsmtls::keys
