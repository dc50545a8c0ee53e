// Initialising tokens and changing PINs: with no session of anybody open.
#pragma once

#include <span>
#include <string>

#include "core/pkcs11/private/token_use.hpp"

namespace hsmtls::pkcs11 {

// Both throw failure.
void initialise_token(const char* uri_text,
                      const std::string& label,
                      std::span<const uint8_t> so_pin,
                      std::span<const uint8_t> user_pin,
                      time_point until);
void change_user_pin(const char* uri_text,
                     std::span<const uint8_t> old_pin,
                     std::span<const uint8_t> new_pin,
                     time_point until);

}  // namespace hsmtls::pkcs11
