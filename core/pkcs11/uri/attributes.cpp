#include "core/pkcs11/uri/attributes.hpp"

#include <algorithm>

#include "core/pkcs11/base/similar.hpp"

namespace hsmtls::pkcs11 {
namespace {

// What people write for an attribute whose name they do not remember.
struct alias {
  std::string_view wrong, right;
};
constexpr std::array<alias, 17> aliases = {{
    {"label", "object"},
    {"name", "object"},
    {"key", "object"},
    {"class", "type"},
    {"objecttype", "type"},
    {"object-type", "type"},
    {"slot", "slot-id"},
    {"serialnumber", "serial"},
    {"serial-number", "serial"},
    {"manuf", "manufacturer"},
    {"pin", "pin-source"},
    {"password", "pin-source"},
    {"pinfile", "pin-source"},
    {"pin-file", "pin-source"},
    {"pinvalue", "pin-value"},
    {"module", "module-path"},
    {"library", "module-path"},
}};

// Names that begin so are RFC 7512's: a vendor's would clash with them sooner or later.
constexpr std::array<std::string_view, 6> families = {
    "token-", "slot-", "library-", "object-", "pin-", "module-"};

bool has_explicit_vendor_prefix(std::string_view name) {
  return name.starts_with("x-") || name.starts_with("vendor-");
}

bool is_name_char(char c) {  // RFC 7512 section 2.3: pk11-v-attr-nm-char
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool has_vendor_prefix(std::string_view name) {
  const std::size_t end = name.find_first_of("-_");
  return end != std::string_view::npos && end > 0 && end + 1 < name.size();
}

}  // namespace

bool looks_like_query_name(std::string_view rest) {
  const std::string lower = ascii_lower(rest.substr(0, 7));
  return lower.starts_with("pin") || lower == "module-";
}

bool names_a_pin(std::string_view name) {
  return ascii_lower(name).find("pin") != std::string::npos && name != "pin-source";
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_name_char);
}

std::optional<std::string_view> meant_name(std::string_view name) {
  std::array<std::string_view, path_names.size() + query_names.size()> names;
  std::copy(query_names.begin(),
            query_names.end(),
            std::copy(path_names.begin(), path_names.end(), names.begin()));
  const std::string lower = ascii_lower(name);
  for (const alias& entry : aliases) {
    if (entry.wrong == lower) return entry.right;
  }
  if (const auto close = closest_name(name, names)) return close;
  for (const std::string_view family : families) {
    if (!lower.starts_with(family)) continue;
    const std::string_view bare = family.substr(0, family.size() - 1);
    std::string_view best;
    for (const std::string_view candidate : names) {
      if (candidate != bare && !candidate.starts_with(family)) continue;
      if (best.empty() || edit_distance(lower, candidate) < edit_distance(lower, best)) {
        best = candidate;
      }
    }
    return best;
  }
  return std::nullopt;
}

bool is_vendor_name(std::string_view name) {
  return has_explicit_vendor_prefix(name) || (has_vendor_prefix(name) && !meant_name(name));
}

}  // namespace hsmtls::pkcs11
