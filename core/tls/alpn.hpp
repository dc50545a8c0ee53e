// Application protocols (RFC 7301).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hsmtls::tls {

// `alpn_wire` makes of names separated by ',' the list that a ClientHello has: each name with its
// length before it. Throws failure (BAD_ARGUMENT).
std::vector<uint8_t> alpn_wire(const std::string& names);

}  // namespace hsmtls::tls
