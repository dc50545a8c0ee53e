#include "cli/commands/commands.hpp"
#include "cli/library/access.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"
#include "cli/pin/new_pin.hpp"
#include "cli/pin/source.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  std::string new_pin_source;
};

void run(const globals& all, const options& given) {
  refuse_pin_in(given.uri, "--pin-source and --new-pin-source");
  const secret old_pin =
      get_pin({configured_pin_source(all).value_or(""), "present user PIN", "--pin-source"});
  const secret new_pin = get_pin({given.new_pin_source, "new user PIN", "--new-pin-source", true});
  const access in(all);
  checked(hsmtls_token_change_pin,
          given.uri.c_str(),
          in.module(),
          old_pin.data(),
          old_pin.size(),
          new_pin.data(),
          new_pin.size());
  if (all.json) {
    print_json({{"changed", true}});
  } else {
    note(all,
         "the user PIN is changed. Programs that read the old one from a file need it there now");
  }
}

}  // namespace

void add_pin(CLI::App& app, const globals& all) {
  CLI::App* const command = app.add_subcommand("pin", "Change the user PIN of a token");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The token")->required();
  command->add_option("--new-pin-source", given->new_pin_source, "Where the new PIN is")
      ->type_name("SOURCE");
  command->footer(
      examples("  hsmtls pin pkcs11:token=edge\n"
               "  hsmtls pin pkcs11:token=edge --pin-source file:/etc/edge/pin "
               "--new-pin-source env:NEW_PIN"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
