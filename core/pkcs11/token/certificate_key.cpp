#include "core/pkcs11/token/certificate_key.hpp"

#include <cstddef>
#include <optional>

namespace hsmtls::pkcs11 {
namespace {

using bytes_view = std::span<const uint8_t>;

constexpr uint8_t sequence = 0x30;
constexpr uint8_t integer = 0x02;
constexpr uint8_t version = 0xa0;  // [0] EXPLICIT

// One element of DER (X.690 section 8.1): the whole of it, and its content.
struct element {
  uint8_t tag;
  bytes_view whole;
  bytes_view content;
};

// Takes the first element off `from`; nothing if there is none. One-byte tags and lengths below
// 4 GB: a certificate has no others.
std::optional<element> take(bytes_view& from) {
  if (from.size() < 2) return std::nullopt;
  size_t header = 2;
  size_t length = from[1];
  if (length >= 0x80) {
    const size_t digits = length & 0x7f;
    if (digits == 0 || digits > 4 || from.size() < 2 + digits) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < digits; ++i) length = length << 8 | from[2 + i];
    header += digits;
  }
  if (length > from.size() - header) return std::nullopt;
  const element out{from[0], from.first(header + length), from.subspan(header, length)};
  from = from.subspan(header + length);
  return out;
}

std::optional<element> take(bytes_view& from, uint8_t tag) {
  const auto out = take(from);
  return out && out->tag == tag ? out : std::nullopt;
}

}  // namespace

std::span<const uint8_t> public_key_of_certificate(std::span<const uint8_t> der) {
  const auto certificate = take(der, sequence);
  if (!certificate) return {};
  bytes_view rest = certificate->content;
  const auto to_be_signed = take(rest, sequence);
  if (!to_be_signed) return {};
  rest = to_be_signed->content;
  if (!rest.empty() && rest[0] == version && !take(rest)) return {};
  if (!take(rest, integer)) return {};  // serial number
  // Signature algorithm, issuer, validity, subject.
  for (int i = 0; i < 4; ++i) {
    if (!take(rest, sequence)) return {};
  }
  const auto key = take(rest, sequence);
  return key ? key->whole : bytes_view{};
}

}  // namespace hsmtls::pkcs11
