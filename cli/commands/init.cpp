#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/library/tokens.hpp"
#include "cli/library/uri.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"
#include "cli/pin/new_pin.hpp"
#include "cli/pin/source.hpp"
#include "cli/terminal/confirm.hpp"
#include "cli/terminal/spinner.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  std::string label;
  std::string so_pin_source;
  bool confirmed = false;
};

// A URI that fits the one token that happens to be there does not say which one is meant.
void demand_name(const std::string& uri) {
  const pkcs11::uri read = parsed(uri);
  if (!read.token.value_or("").empty() || !read.serial.value_or("").empty() || read.slot_id) return;
  throw usage(
      "the URI must name the token that is to be erased, by token, serial or slot-id: see hsmtls "
      "tokens");
}

// Shows which one it is before it is gone, and returns the URI that fits this one alone.
std::string ask(const access& in, const options& given) {
  const std::vector<token> fitting = tokens_that_fit(in.module(), given.uri);
  if (fitting.size() != 1) {
    demand_token(in.module(), given.uri);
    throw usage(
        "which token that is cannot be told by this URI: use the one that hsmtls tokens shows");
  }
  const token& one = fitting.front();
  if (one.has(token_flag::initialised)) {
    confirm(fmt::format("Everything in the token '{}' (serial {}) will be gone for good: all keys, "
                        "all certificates, both PINs.",
                        one.label,
                        one.serial),
            one.label.empty() ? given.label : one.label);
  } else {
    confirm(fmt::format("The token in slot {} is not initialised; it will be, as '{}'.",
                        one.slot_id,
                        given.label),
            given.label);
  }
  return one.uri;
}

void run(const globals& all, const options& given) {
  refuse_pin_in(given.uri, "--so-pin-source and --pin-source");
  demand_name(given.uri);
  const access in(all);
  const std::string uri = given.confirmed ? given.uri : ask(in, given);
  const secret so_pin = get_pin({given.so_pin_source, "SO PIN", "--so-pin-source"});
  const secret user_pin =
      get_pin({configured_pin_source(all).value_or(""), "new user PIN", "--pin-source", true});
  {
    const spinner turning("initialising the token");
    checked(hsmtls_token_init,
            uri.c_str(),
            in.module(),
            given.label.c_str(),
            so_pin.data(),
            so_pin.size(),
            user_pin.data(),
            user_pin.size());
  }
  if (all.json) {
    print_json({{"label", given.label}});
  } else {
    note(all, fmt::format("token '{}' is empty and ready", given.label));
  }
}

}  // namespace

void add_init(CLI::App& app, const globals& all) {
  CLI::App* const command =
      app.add_subcommand("init", "Erase a token, and give it a label and its PINs");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The token; a new one by its slot: pkcs11:slot-id=0")
      ->required();
  command->add_option("--label", given->label, "Its new label, 1 to 32 bytes")
      ->required()
      ->type_name("TEXT");
  command
      ->add_option(
          "--so-pin-source",
          given->so_pin_source,
          "Where the security officer's PIN is: of a used token the one it has, else the new one")
      ->type_name("SOURCE");
  command->add_flag("--yes", given->confirmed, "Do not ask");
  command->footer(
      examples("  hsmtls init pkcs11:slot-id=0 --label edge\n"
               "  hsmtls init pkcs11:token=edge --label edge --yes \\\n"
               "    --so-pin-source file:/etc/edge/so-pin --pin-source file:/etc/edge/pin"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
