// What RFC 7512 section 2.3 lets stand in a value as it is, and the percent-encoding of the rest.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hsmtls::pkcs11 {

// `char_set` is a set of bytes: RFC 3986's "unreserved" and some more.
class char_set {
 public:
  // Every set of RFC 7512 contains "unreserved" (RFC 3986 section 2.3).
  constexpr explicit char_set(std::string_view reserved) {
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789-._~")) {
      add(c);
    }
    for (const char c : reserved) add(c);
  }
  constexpr bool has(char c) const { return allowed_[static_cast<unsigned char>(c)]; }

 private:
  constexpr void add(char c) { allowed_[static_cast<unsigned char>(c)] = true; }
  std::array<bool, 256> allowed_{};
};

// `path_chars` is pk11-pchar without pct-encoded; `query_chars` is pk11-qchar likewise.
inline constexpr char_set path_chars(":[]@!$'()*+,=&");
inline constexpr char_set query_chars(":[]@!$'()*+,=/?|");

// `decode_fault` says why and where percent-decoding stopped; `at` is an offset into the raw value,
// in bytes.
struct decode_fault {
  enum class reason { character_not_allowed, broken_escape };
  reason why;
  std::size_t at;
};

// `hex_value` returns the value of one hexadecimal digit, upper or lower case, or -1.
int hex_value(char digit);

// `percent_encoded` returns `byte` as "%XX", with the upper-case digits of RFC 3986 section 2.1.
std::string percent_encoded(unsigned char byte);

// `percent_decode` calls `append(char)` for each byte that `raw` stands for. Returns the fault at
// which it stopped, or nothing. `append` may have been called for the bytes before a fault.
template <typename Append>
std::optional<decode_fault> percent_decode(std::string_view raw,
                                           const char_set& allowed,
                                           Append append) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%') {
      const int high = raw.size() - i > 2 ? hex_value(raw[i + 1]) : -1;
      const int low = high >= 0 ? hex_value(raw[i + 2]) : -1;
      if (low < 0) return decode_fault{decode_fault::reason::broken_escape, i};
      append(static_cast<char>(high * 16 + low));
      i += 2;
    } else if (allowed.has(raw[i])) {
      append(raw[i]);
    } else {
      return decode_fault{decode_fault::reason::character_not_allowed, i};
    }
  }
  return std::nullopt;
}

// `raw_offset` returns where in the raw value the decoded byte number `decoded` begins. `raw` has
// to be one that `percent_decode` accepts.
std::size_t raw_offset(std::string_view raw, std::size_t decoded);

}  // namespace hsmtls::pkcs11
