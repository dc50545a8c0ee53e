#include "core/pkcs11/uri/quoted_name.hpp"

#include <algorithm>
#include <cstddef>

#include "core/pkcs11/uri/percent.hpp"
#include "core/pkcs11/uri/similar.hpp"

namespace hsmtls::pkcs11 {
namespace {

std::string hex_escape(char byte) {
  const std::string percent = percent_encoded(static_cast<unsigned char>(byte));
  return "\\x" + ascii_lower(percent.substr(1));
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

}  // namespace

std::string quoted_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  // Whoever forgets the '?' has typed the PIN into a label.
  const std::size_t pin = ascii_lower(name).find("pin-value");
  const std::string_view shown = name.substr(0, pin);

  std::string text = "'";
  std::size_t i = 0;
  while (i < shown.size() && i < longest) {
    const std::string_view character = shown.substr(i, sequence_length(shown[i]));
    const bool plain = !first_non_text(character) && !is_control(character) && character != "'" &&
                       character != "\\";
    if (plain) {
      text += character;
      i += character.size();
    } else {
      text += hex_escape(shown[i++]);
      // The second byte of a C1 control alone is not UTF-8, so it is escaped in its turn.
    }
  }
  if (i < name.size()) text += "...";
  return text + "'";
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
