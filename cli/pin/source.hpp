// A PIN out of a file, a variable or a systemd credential, where the library takes it by value only.
#pragma once

#include <optional>
#include <string>

#include "cli/globals.hpp"
#include "cli/pin/secret.hpp"

namespace hsmtls::cli {

// `read_pin_source` reads "file:/run/pin", "env:NAME" or "credential:NAME", by the rules that the library
// has for a login: its own parser, regular files only, one newline at the end cut. Throws problem
// (PIN_SOURCE).
secret read_pin_source(const std::string& source);

// `configured_pin_source` returns --pin-source, else HSMTLS_PIN_SOURCE, if there is one.
std::optional<std::string> configured_pin_source(const globals& all);

}  // namespace hsmtls::cli
