#include <fmt/format.h>

#include <array>

#include "cli/commands/commands.hpp"
#include "cli/library/access.hpp"
#include "cli/library/handles.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"
#include "cli/terminal/spinner.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  std::string type = "ec-p256";
};

struct type_row {
  const char* name;
  uint32_t kind;
  uint32_t bits;
};
constexpr std::array types{type_row{"ec-p256", HSMTLS_GENERATE_P256, 0},
                           type_row{"ec-p384", HSMTLS_GENERATE_P384, 0},
                           type_row{"ec-p521", HSMTLS_GENERATE_P521, 0},
                           type_row{"rsa-2048", HSMTLS_GENERATE_RSA, 2048},
                           type_row{"rsa-3072", HSMTLS_GENERATE_RSA, 3072},
                           type_row{"rsa-4096", HSMTLS_GENERATE_RSA, 4096},
                           type_row{"ed25519", HSMTLS_GENERATE_ED25519, 0}};

const type_row& row_of(const std::string& name) {
  std::string known;
  for (const type_row& one : types) {
    if (name == one.name) return one;
    known += known.empty() ? one.name : std::string(", ") + one.name;
  }
  throw usage(fmt::format("--type: '{}' is none of {}", name, known));
}

void run(const globals& all, const options& given) {
  const type_row& type = row_of(given.type);
  access in(all);
  const std::string made = in.use(given.uri, [&](const hsmtls_login* login) {
    const spinner turning(fmt::format("generating {} in the token", type.name));
    hsmtls_text* out = nullptr;
    checked(hsmtls_key_generate, given.uri.c_str(), in.module(), login, type.kind, type.bits, &out);
    return take(out);
  });
  if (all.json) {
    print_json({{"uri", made}, {"type", type.name}});
    return;
  }
  print(made + "\n");
  note(all,
       fmt::format("generated {} in the token. Next: hsmtls csr URI --subject CN=… --out FILE",
                   type.name));
}

}  // namespace

void add_keygen(CLI::App& app, const globals& all) {
  CLI::App* const command =
      app.add_subcommand("keygen", "Generate a key pair in a token, and print its URI");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The token, and the label (object) and id of the new key")
      ->required();
  command
      ->add_option("--type",
                   given->type,
                   "ec-p256 (default), ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-4096, ed25519")
      ->type_name("TYPE");
  command->footer(
      examples("  hsmtls keygen 'pkcs11:token=edge;object=device-key'\n"
               "  hsmtls keygen 'pkcs11:token=edge;object=device-key;id=%01' --type rsa-3072"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
