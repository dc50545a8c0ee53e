#include "cli/mistake.hpp"

#include <fmt/format.h>

#include "cli/library/uri.hpp"
#include "core/pkcs11/base/similar.hpp"

namespace hsmtls::cli {
namespace {

std::string no_such_subcommand(const CLI::App& app, const std::string& typed) {
  std::vector<std::string> all;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; }))
    all.push_back(one->get_name());
  const std::vector<std::string_view> names(all.begin(), all.end());
  const auto meant = pkcs11::closest_name(typed, names);
  return fmt::format("there is no subcommand '{}'{}",
                     path_of(typed),
                     meant ? fmt::format("; did you mean '{}'?", *meant) : ".");
}

// Somebody who types a PIN where none belongs writes --pin=1234, -p1234, or the PIN alone.
std::string without_value(const std::string& argument) {
  if (argument.starts_with("--")) return "'" + argument.substr(0, argument.find('=')) + "'";
  if (argument.starts_with('-')) return "'" + argument.substr(0, 2) + "'";
  if (argument.starts_with("pkcs11:")) return "'" + path_of(argument) + "'";
  return "a word";
}

std::string sentence(const CLI::App& app, const CLI::ParseError& why) {
  const std::vector<std::string> left_over = app.remaining(true);
  if (left_over.empty()) return std::string(why.what()) + ".";
  // The first alone: what is behind it may be its value.
  const std::string& first = left_over.front();
  if (app.get_subcommands().empty() && !first.starts_with('-'))
    return no_such_subcommand(app, first);
  return fmt::format("not expected: {}.", without_value(first));
}

}  // namespace

problem mistake_of(const CLI::App& app, const CLI::ParseError& why) {
  const auto named = app.get_subcommands();
  return usage(fmt::format("{} See: hsmtls {}--help",
                           sentence(app, why),
                           named.empty() ? "" : named[0]->get_name() + " "));
}

}  // namespace hsmtls::cli
