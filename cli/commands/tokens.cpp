#include "cli/library/tokens.hpp"

#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"

namespace hsmtls::cli {
namespace {

json of(const token& one) {
  return {{"uri", one.uri},
          {"label", one.label},
          {"serial", one.serial},
          {"model", one.model},
          {"manufacturer", one.manufacturer},
          {"module", one.module},
          {"slot_id", one.slot_id},
          {"initialised", one.has(token_flag::initialised)},
          {"login_required", one.has(token_flag::login_required)},
          {"user_pin_set", one.has(token_flag::pin_set)},
          {"pin_pad", one.has(token_flag::pin_pad)},
          {"pin_count_low", one.has(token_flag::pin_count_low)},
          {"pin_final_try", one.has(token_flag::pin_final_try)},
          {"pin_locked", one.has(token_flag::pin_locked)},
          {"pin_to_be_changed", one.has(token_flag::pin_to_be_changed)}};
}

void run(const globals& all) {
  const access in(all);
  const std::vector<token> found = list_tokens(in.module());
  if (all.json) {
    json list = json::array();
    for (const token& one : found) list.push_back(of(one));
    print_json({{"tokens", list}});
    return;
  }
  if (found.empty()) {
    note(all, "no slot has a token: is it plugged in, and does its service run?");
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const token& one : found) {
    const std::string trouble = one.trouble();
    rows.push_back({one.label.empty() ? "-" : one.label,
                    one.serial,
                    one.model,
                    trouble.empty() ? "ready" : trouble,
                    one.module,
                    one.uri});
  }
  print_table({"TOKEN", "SERIAL", "MODEL", "STATE", "MODULE", "URI"}, rows);
}

}  // namespace

void add_tokens(CLI::App& app, const globals& all) {
  CLI::App* const command = app.add_subcommand("tokens", "Show the tokens that there are");
  command->footer(
      examples("  hsmtls tokens\n"
               "  hsmtls tokens --module /usr/lib/softhsm/libsofthsm2.so --json"));
  command->callback([&all] { run(all); });
}

}  // namespace hsmtls::cli
