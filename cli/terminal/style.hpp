// Colours, where there is somebody who sees them, and names made fit for a terminal.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace hsmtls::cli {

enum class colour { green, red, yellow, dim, bold };

// `styled` returns `text` in a colour if `stream` is a terminal and NO_COLOR is not set
// (no-color.org).
std::string styled(FILE* stream, colour in, std::string_view text);

// `printable` returns `text` with control characters as \xNN: a token names itself as it likes.
std::string printable(std::string_view text);

}  // namespace hsmtls::cli
