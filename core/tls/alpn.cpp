#include "core/tls/alpn.hpp"

#include <string_view>

#include "core/keys/failure.hpp"

namespace hsmtls::tls {

std::vector<uint8_t> alpn_wire(const std::string& names) {
  std::vector<uint8_t> wire;
  std::string_view rest = names;
  while (!names.empty()) {
    const size_t end = rest.find(',');
    const std::string_view name = rest.substr(0, end);
    if (name.empty() || name.size() > 255) {
      throw failure(HSMTLS_BAD_ARGUMENT,
                    "options.alpn is a list of names of 1 to 255 bytes, separated by ',': "
                    "\"mqtt\" or \"h2,http/1.1\"");
    }
    wire.push_back(static_cast<uint8_t>(name.size()));
    wire.insert(wire.end(), name.begin(), name.end());
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  // The extension's length has two bytes.
  if (wire.size() > 65533) throw failure(HSMTLS_BAD_ARGUMENT, "options.alpn is too long");
  return wire;
}

}  // namespace hsmtls::tls
