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

// `server_name_of` returns a host as TLS has it (RFC 6066 section 3): an address without brackets, a name
// without the dot at its end.
std::string server_name_of(std::string host);

bool is_ip_address(const std::string& host);

}  // namespace hsmtls::cli
