#include "core/pkcs11/base/similar.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace hsmtls::pkcs11 {

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string_view> closest_name(std::string_view wanted,
                                             std::span<const std::string_view> names) {
  constexpr std::size_t longest = 64;
  if (wanted.empty() || wanted.size() > longest) return std::nullopt;
  const std::string lower = ascii_lower(wanted);
  std::size_t best = std::clamp<std::size_t>(wanted.size() / 4, 1, 2) + 1;
  std::optional<std::string_view> closest;
  for (const std::string_view name : names) {
    if (name.empty() || name.size() > longest) continue;
    const std::size_t distance = edit_distance(lower, ascii_lower(name));
    // A name with nothing in common is no typing error: 'x' for 'y'.
    if (distance < best && distance < wanted.size()) {
      best = distance;
      closest = name;
    }
  }
  return closest;
}

}  // namespace hsmtls::pkcs11
