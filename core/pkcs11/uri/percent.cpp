#include "core/pkcs11/uri/percent.hpp"

namespace hsmtls::pkcs11 {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

std::string percent_encoded(unsigned char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {'%', digits[byte >> 4U], digits[byte & 0x0FU]};
}

std::size_t raw_offset(std::string_view raw, std::size_t decoded) {
  std::size_t at = 0;
  for (; decoded > 0; --decoded) at += raw[at] == '%' ? 3 : 1;
  return at;
}

namespace {

// How long a UTF-8 sequence that starts with `lead` is, and the range of its second byte: RFC 3629
// section 4 forbids overlong forms and surrogates by narrowing that range alone.
struct sequence {
  std::size_t length;
  unsigned char second_min, second_max;
};

sequence sequence_of(unsigned char lead) {
  if (lead >= 0x01 && lead <= 0x7F) return {1, 0, 0};
  if (lead >= 0xC2 && lead <= 0xDF) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

std::optional<std::size_t> first_non_text(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const sequence next = sequence_of(byte(i));
    if (next.length == 0 || next.length > text.size() - i) return i;
    if (next.length > 1 && (byte(i + 1) < next.second_min || byte(i + 1) > next.second_max)) {
      return i;
    }
    for (std::size_t k = 2; k < next.length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return i;
    }
    i += next.length;
  }
  return std::nullopt;
}

}  // namespace hsmtls::pkcs11
