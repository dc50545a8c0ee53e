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

}  // namespace hsmtls::pkcs11
