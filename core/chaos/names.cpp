#include "names.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace hsmtls::chaos {
namespace {

struct rv_row {
  std::string_view name;
  CK_RV value;
};

constexpr rv_row rv_rows[] = {
#include "ckr_rows.inc"
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

}  // namespace

std::optional<function_id> find_function(std::string_view name) {
  const auto* found = std::find(std::begin(function_names), std::end(function_names), name);
  if (found == std::end(function_names)) return std::nullopt;
  return static_cast<function_id>(found - std::begin(function_names));
}

std::string rv_name(CK_RV rv) {
  const auto* found = std::find_if(
      std::begin(rv_rows), std::end(rv_rows), [rv](const rv_row& row) { return row.value == rv; });
  if (found != std::end(rv_rows)) return std::string(found->name);
  char number[2 + 2 * sizeof rv + 1];
  std::snprintf(number, sizeof number, "0x%lx", static_cast<unsigned long>(rv));
  return number;
}

std::optional<CK_RV> parse_rv(std::string_view text) {
  const auto* found = std::find_if(std::begin(rv_rows),
                                   std::end(rv_rows),
                                   [text](const rv_row& row) { return row.name == text; });
  if (found != std::end(rv_rows)) return found->value;
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
  // Two letters exchanged count as two changes.
  std::size_t best_distance =
      std::min(typed.size(), std::max<std::size_t>(3, typed.size() / 3 + 1));
  for (const std::string_view name : names) {
    const std::size_t distance = edit_distance(typed, name);
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
  for (const rv_row& row : rv_rows) names.push_back(row.name);
  return did_you_mean(typed, names);
}

}  // namespace hsmtls::chaos
