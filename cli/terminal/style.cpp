#include "cli/terminal/style.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace hsmtls::cli {
namespace {

bool wants_colour(FILE* stream) {
  const char* const no = std::getenv("NO_COLOR");
  const char* const kind = std::getenv("TERM");
  return (no == nullptr || *no == '\0') && kind != nullptr && std::string_view(kind) != "dumb" &&
         isatty(fileno(stream)) == 1;
}

const char* code_of(colour in) {
  switch (in) {
    case colour::green:
      return "32";
    case colour::red:
      return "31";
    case colour::yellow:
      return "33";
    case colour::dim:
      return "2";
    case colour::bold:
      break;
  }
  return "1";
}

}  // namespace

std::string styled(FILE* stream, colour in, std::string_view text) {
  if (!wants_colour(stream)) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(in), text);
}

std::string printable(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    // C0 and DEL; C1 as UTF-8 has it (0xC2 0x80 to 0xC2 0x9F).
    const bool c1 = byte == 0xc2 && at + 1 < text.size() &&
                    (static_cast<unsigned char>(text[at + 1]) & 0xe0U) == 0x80;
    if (byte < 0x20 || byte == 0x7f || c1) {
      out += fmt::format("\\x{:02x}", byte);
      if (c1) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++at]));
    } else {
      out += text[at];
    }
  }
  return out;
}

}  // namespace hsmtls::cli
