// RFC 7512's 1*DIGIT, with a limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hsmtls::pkcs11 {

// `decimal_result` holds the number; without one, `overflow` tells a number that is too large from
// a text that is none.
struct decimal_result {
  std::optional<std::uint64_t> value;
  bool overflow = false;
};

// `parse_decimal` reads one or more ASCII digits, of which leading ones may be zeros, as a number
// up to `max`: slot-id has the width of CK_ULONG, four bytes on 32-bit machines.
constexpr decimal_result parse_decimal(std::string_view digits, std::uint64_t max) {
  if (digits.empty()) return {};
  std::uint64_t value = 0;
  bool overflow = false;
  for (const char c : digits) {
    if (c < '0' || c > '9') return {};
    const auto digit = static_cast<std::uint64_t>(c - '0');
    overflow = overflow || digit > max || value > (max - digit) / 10;
    if (!overflow) value = value * 10 + digit;
  }
  if (overflow) return {std::nullopt, true};
  return {value, false};
}

}  // namespace hsmtls::pkcs11
