// What is asked on the terminal. stdin and stdout may be anything: it is /dev/tty that is talked to.
#pragma once

#include <optional>
#include <string>

#include "cli/pin/secret.hpp"

namespace hsmtls::cli {

// Whether this process has a terminal to ask on.
bool has_terminal();

// `ask_secret` asks without echo; nothing: there is no terminal, or its user ended the input. A signal
// that ends or stops the process meanwhile finds the terminal as it was.
std::optional<secret> ask_secret(const std::string& question);

// `ask_line` asks for a line, shown as it is typed.
std::optional<std::string> ask_line(const std::string& question);

}  // namespace hsmtls::cli
