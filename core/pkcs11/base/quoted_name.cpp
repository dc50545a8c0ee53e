#include "core/pkcs11/base/quoted_name.hpp"

#include <algorithm>
#include <cstddef>

#include "core/pkcs11/base/similar.hpp"
#include "core/pkcs11/base/utf8.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr std::string_view quotes = "'\\";

std::string hex_escape(char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {'\\', 'x', digits[value >> 4U], digits[value & 0x0FU]};
}

// Every C1 control is C2 80 to C2 9F in UTF-8, and terminals obey them as they obey ESC.
bool is_control(std::string_view rest) {
  const auto byte = [rest](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return true;
  return byte(0) == 0xC2 && rest.size() > 1 && byte(1) >= 0x80 && byte(1) <= 0x9F;
}

std::size_t sequence_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Appends the character at `at`, escaped where it has to be, and returns where the next one begins.
std::size_t append_next(std::string& out,
                        std::string_view text,
                        std::size_t at,
                        std::string_view also) {
  const std::string_view character = text.substr(at, sequence_length(text[at]));
  const bool plain = !first_non_text(character) && !is_control(character) &&
                     also.find(character) == std::string_view::npos;
  if (plain) {
    out += character;
    return at + character.size();
  }
  // The second byte of a C1 control alone is not UTF-8, so it is escaped in its turn.
  out += hex_escape(text[at]);
  return at + 1;
}

}  // namespace

std::string quoted_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  // Whoever forgets the '?' has typed the PIN into a label.
  const std::string_view shown = name.substr(0, ascii_lower(name).find("pin-value"));
  std::string text = "'";
  std::size_t i = 0;
  while (i < shown.size() && i < longest) i = append_next(text, shown, i, quotes);
  if (i < name.size()) text += "...";
  return text + "'";
}

std::string quoted_path(std::string_view path) {
  return "'" + escaped(path, quotes) + "'";
}

std::string escaped(std::string_view text, std::string_view also) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) i = append_next(out, text, i, also);
  return out;
}

void cut_to(std::string& text, std::size_t most) {
  if (text.size() <= most) return;
  const auto goes_on = [&] { return (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U; };
  while (most > 0 && goes_on()) --most;
  text.resize(most);
  text += "...";
}

std::string listed(std::span<const std::string> items) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), most_listed); ++i) {
    if (i > 0) text += ", ";
    text += items[i];
  }
  if (items.size() > most_listed)
    text += " and " + std::to_string(items.size() - most_listed) + " more";
  return text;
}

}  // namespace hsmtls::pkcs11
