// Small files, read and written as a whole.
#pragma once

#include <string>
#include <string_view>

namespace hsmtls::keys {

// `read_text_file` returns what is in a file of at most a megabyte. `what` names it in the error.
// Throws failure (FILE_UNREADABLE).
std::string read_text_file(const std::string& path, std::string_view what);

// `write_text_file` writes a file that appears complete or not at all, readable by its owner and group.
// Throws failure (FILE_UNREADABLE).
void write_text_file(const std::string& path, std::string_view text);

}  // namespace hsmtls::keys
