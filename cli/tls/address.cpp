#include "cli/tls/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {

namespace {

bool is_bracketed(const std::string& host) {
  return host.size() > 2 && host.front() == '[' && host.back() == ']';
}

std::string without_brackets(const std::string& host) {
  return is_bracketed(host) ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

address parse_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  address made{text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1)};
  const bool bracketed = is_bracketed(made.host);
  made.host = without_brackets(made.host);
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

std::string server_name_of(std::string host) {
  host = without_brackets(host);
  if (host.size() > 1 && host.back() == '.') host.pop_back();
  return host;
}

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

}  // namespace hsmtls::cli
