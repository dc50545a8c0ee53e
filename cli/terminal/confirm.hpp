// What cannot be undone is confirmed by typing its name.
#pragma once

#include <string>

namespace hsmtls::cli {

// `confirm` says what will happen and wants `name` typed on the terminal. Throws problem: CANCELLED
// when something else was typed, BAD_ARGUMENT (--yes is missing) where there is no terminal.
void confirm(const std::string& what_happens, const std::string& name);

}  // namespace hsmtls::cli
