// HOST:PORT.
#pragma once

#include <string>

namespace hsmtls::cli {

struct address {
  std::string host;
  std::string port;
};

// `parse_address` reads "broker.example:8883" or "[2001:db8::1]:8883". Throws problem (BAD_ARGUMENT).
address parse_address(const std::string& text);

bool is_ip_address(const std::string& host);

}  // namespace hsmtls::cli
