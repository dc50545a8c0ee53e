#include "core/pkcs11/base/utf8.hpp"

namespace hsmtls::pkcs11 {
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
