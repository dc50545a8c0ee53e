#include "names.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/pkcs11/base/similar.hpp"

namespace hsmtls::chaos {
std::optional<function_id> find_function(std::string_view name) {
  const auto* found = std::find(std::begin(function_names), std::end(function_names), name);
  if (found == std::end(function_names)) return std::nullopt;
  return static_cast<function_id>(found - std::begin(function_names));
}

std::optional<CK_RV> parse_rv(std::string_view text) {
  for (const pkcs11::named_rv& row : pkcs11::rv_names()) {
    if (row.name == text) return row.value;
  }
  if (!text.starts_with("0x") || text.size() < 3) return std::nullopt;
  const std::string digits(text.substr(2));
  if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos ||
      digits.size() > 2 * sizeof(CK_RV)) {
    return std::nullopt;
  }
  return static_cast<CK_RV>(std::strtoull(digits.c_str(), nullptr, 16));
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string_view>& names) {
  std::string_view best;
  std::size_t best_distance =
      std::min(typed.size(), std::max<std::size_t>(3, typed.size() / 3 + 1));
  for (const std::string_view name : names) {
    const std::size_t distance = pkcs11::edit_distance(typed, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best.empty() ? std::string() : "; did you mean " + std::string(best) + "?";
}

std::string did_you_mean_function(std::string_view typed) {
  return did_you_mean(typed, {std::begin(function_names), std::end(function_names)});
}

std::string did_you_mean_rv(std::string_view typed) {
  std::vector<std::string_view> names;
  for (const pkcs11::named_rv& row : pkcs11::rv_names()) names.push_back(row.name);
  return did_you_mean(typed, names);
}

}  // namespace hsmtls::chaos
