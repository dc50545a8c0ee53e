// The subcommands: each adds itself to the command line and runs when it is named there. They throw
// problem.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/globals.hpp"

namespace hsmtls::cli {

void add_tokens(CLI::App& app, const globals& all);
void add_list(CLI::App& app, const globals& all);
void add_keygen(CLI::App& app, const globals& all);
void add_csr(CLI::App& app, const globals& all);
void add_import(CLI::App& app, const globals& all);
void add_delete(CLI::App& app, const globals& all);
void add_init(CLI::App& app, const globals& all);
void add_pin(CLI::App& app, const globals& all);
void add_pem(CLI::App& app, const globals& all);
void add_connect(CLI::App& app, const globals& all);
void add_doctor(CLI::App& app, const globals& all);

// `examples` is the end of a subcommand's --help.
inline std::string examples(const std::string& lines) {
  return "Examples:\n" + lines;
}

}  // namespace hsmtls::cli
