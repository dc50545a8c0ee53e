#include "cli/tls/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {

address parse_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  address made{text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1)};
  const bool bracketed =
      made.host.size() > 2 && made.host.front() == '[' && made.host.back() == ']';
  if (bracketed) made.host = made.host.substr(1, made.host.size() - 2);
  unsigned port = 0;
  const char* const end = made.port.data() + made.port.size();
  const auto [stop, error] = std::from_chars(made.port.data(), end, port);
  const bool is_port = error == std::errc() && stop == end && port > 0 && port < 65536;
  if (made.host.empty() || !is_port || (!bracketed && made.host.find(':') != std::string::npos)) {
    throw usage(fmt::format(
        "'{}' is not HOST:PORT, as in broker.example:8883 or [2001:db8::1]:8883", text));
  }
  return made;
}

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

}  // namespace hsmtls::cli
