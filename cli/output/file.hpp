// Files that a command reads and writes.
#pragma once

#include <string>

namespace hsmtls::cli {

// `read_file` reads a file of at most 1 MiB; `what` is what it is: "the certificate file". Throws
// problem (FILE_UNREADABLE).
std::string read_file(const std::string& path, const std::string& what);

// `write_file` writes a file. Throws problem (FILE_UNREADABLE).
void write_file(const std::string& path, const std::string& text);

}  // namespace hsmtls::cli
