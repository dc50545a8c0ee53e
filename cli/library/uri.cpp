#include "cli/library/uri.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hsmtls::cli {
namespace {

constexpr std::string_view scheme = "pkcs11:";

std::string decoded(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    if (text[at] == '%' && digits.size() == 2 &&
        std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr == digits.data() + 2) {
      out += static_cast<char>(byte);
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

// Calls `each(name, whole)` for the attributes in `text`, until it returns false.
template <class Each>
void each_attribute(std::string_view text, char delimiter, Each each) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(delimiter), text.size());
    const std::string_view whole = text.substr(0, end);
    if (!each(whole.substr(0, whole.find('=')), whole)) return;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<std::string> find(std::string_view text, char delimiter, std::string_view name) {
  std::optional<std::string> found;
  each_attribute(text, delimiter, [&](std::string_view its_name, std::string_view whole) {
    if (its_name != name || its_name.size() == whole.size()) return true;
    found = decoded(whole.substr(name.size() + 1));
    return false;
  });
  return found;
}

std::string_view query_of(std::string_view uri) {
  const size_t mark = uri.find('?');
  return mark == std::string_view::npos ? std::string_view() : uri.substr(mark + 1);
}

std::string_view attributes_of(std::string_view uri) {
  const size_t colon = uri.find(':');
  return colon == std::string_view::npos ? std::string_view()
                                         : uri.substr(colon + 1, uri.find('?') - colon - 1);
}

}  // namespace

std::string path_of(std::string_view uri) {
  return std::string(uri.substr(0, uri.find('?')));
}

std::optional<std::string> attribute_of(std::string_view uri, std::string_view name) {
  return find(attributes_of(uri), ';', name);
}

std::optional<std::string> query_attribute_of(std::string_view uri, std::string_view name) {
  return find(query_of(uri), '&', name);
}

std::string with_query_of(const std::string& path, std::string_view uri) {
  const std::string_view query = query_of(uri);
  return query.empty() ? path : path + "?" + std::string(query);
}

std::string without_attributes(std::string_view uri, std::span<const std::string_view> names) {
  std::string kept(scheme);
  each_attribute(attributes_of(uri), ';', [&](std::string_view name, std::string_view whole) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    if (kept.size() > scheme.size()) kept += ';';
    kept += whole;
    return true;
  });
  return with_query_of(kept, uri);
}

std::string encoded(std::string_view value) {
  std::string out;
  for (const char one : value) {
    const bool plain =
        (one >= '0' && one <= '9') || (one >= 'A' && one <= 'Z') || (one >= 'a' && one <= 'z');
    out += plain ? std::string(1, one) : fmt::format("%{:02X}", static_cast<uint8_t>(one));
  }
  return out;
}

}  // namespace hsmtls::cli
