// What is said once for all commands.
#pragma once

#include <string>

namespace hsmtls::cli {

struct globals {
  std::string module;      // empty: HSMTLS_MODULE, else what p11-kit has registered
  std::string pin_source;  // empty: HSMTLS_PIN_SOURCE, else the terminal
  bool json = false;
};

}  // namespace hsmtls::cli
