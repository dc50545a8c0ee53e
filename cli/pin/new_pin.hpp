// PINs that the library takes by value: old ones and new ones, for administration.
#pragma once

#include <string>

#include "cli/pin/secret.hpp"

namespace hsmtls::cli {

struct pin_wanted {
  std::string source;    // empty: ask
  std::string question;  // "new user PIN of token 'edge'"
  std::string option;    // what to say where there is no terminal: "--new-pin-source"
  bool twice = false;    // a new one is typed twice
};

// Throws problem (PIN_SOURCE, PIN_REQUIRED, CANCELLED).
secret get_pin(const pin_wanted& wanted);

// `refuse_pin_in` throws problem (BAD_ARGUMENT) where a URI says where the PIN is, and several are
// wanted.
void refuse_pin_in(const std::string& uri, const std::string& options);

}  // namespace hsmtls::cli
