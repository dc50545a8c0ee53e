#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/library/identity.hpp"
#include "cli/library/uri.hpp"
#include "cli/output/file.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  std::string out;
  bool unchecked = false;
};

std::string reference_pem(const std::string& uri) {
  hsmtls_text* made = nullptr;
  checked(hsmtls_reference_pem_write, uri.c_str(), &made);
  return take(made);
}

void run(const globals& all, const options& given) {
  // Where the PIN is serves the check; a PEM must not say it.
  const std::string uri = given.unchecked ? given.uri : path_of(given.uri);
  const std::string pem = reference_pem(uri);
  std::string fitting;
  if (!given.unchecked) {
    access in(all);
    const identity key = identity::open(in, given.uri, identity::certificates::left_out);
    fitting = key.info().key_uri;
  }
  const bool to_stdout = given.out == "-";
  if (!to_stdout) write_file(given.out, pem);
  if (all.json) {
    print_json({{"out", to_stdout ? json() : json(given.out)},
                {"pem", pem},
                {"uri", uri},
                {"key_uri", fitting.empty() ? json() : json(fitting)}});
    return;
  }
  if (to_stdout) print(pem);
  note(all,
       fitting.empty() ? "a reference to " + uri + ", not checked"
                       : fmt::format("a reference to {}, which fits one key: {}", uri, fitting));
}

}  // namespace

void add_pem(CLI::App& app, const globals& all) {
  CLI::App* const command = app.add_subcommand(
      "pem", "Write a reference PEM: a key file that names a key and holds none");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The key; what is typed is what the file says")
      ->required();
  command->add_option("--out", given->out, "The file to write; - for stdout")
      ->required()
      ->type_name("FILE");
  command->add_flag("--no-check",
                    given->unchecked,
                    "Do not look whether the URI fits exactly one key in a token");
  command->footer(
      examples("  hsmtls pem 'pkcs11:token=edge;object=device-key' --out device.key\n"
               "  hsmtls pem 'pkcs11:token=edge;object=device-key' --no-check --out -"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
