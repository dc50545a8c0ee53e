// What is wrong with a command line, said in our words.
#pragma once

#include <CLI/App.hpp>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {

// `mistake_of` is about the arguments that CLI11 has refused with `why`. It repeats of them only what
// cannot be a PIN: no query of a URI, no value of an option that there is not.
problem mistake_of(const CLI::App& app, const CLI::ParseError& why);

}  // namespace hsmtls::cli
