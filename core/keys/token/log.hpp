// Lines for HSMTLS_LOG, written by the token layer's log.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace hsmtls::keys {

// `log_warning` writes one line. `fields`: keys and values in turn; never a PIN. Never throws.
void log_warning(const char* event, std::initializer_list<std::string> fields) noexcept;

}  // namespace hsmtls::keys
