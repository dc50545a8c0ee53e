// What a login is made with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "core/pkcs11/base/secret.hpp"

namespace hsmtls::pkcs11 {

// Reads a PIN again where it came from (a file, a credential). Returns none if it cannot. Any
// thread.
using pin_reader = std::function<std::optional<secret>()>;

struct credentials {
  std::optional<std::span<const uint8_t>> pin;  // none: the token's PIN pad
  std::optional<std::span<const uint8_t>>
      user_name;          // PKCS#11 v3.0 C_LoginUser; not kept for a later login
  pin_reader read_again;  // set: the PIN is not kept but read again at each login
  bool forget = false;    // the PIN is not kept: no login without the user
  bool insist = false;    // log in although the token says that it is the last try
};

}  // namespace hsmtls::pkcs11
