#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/openssl/request.hpp"
#include "cli/openssl/token_key.hpp"
#include "cli/output/file.hpp"
#include "cli/output/json.hpp"
#include "cli/output/print.hpp"
#include "cli/terminal/spinner.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  request_options request;
  std::string out;
};

made_request sign(const request_maker& maker, const identity& with) {
  const spinner turning("signing in the token");
  try {
    return maker.make(token_key(with).get());
  } catch (const problem&) {
    throw_last_error(with);
    throw;
  }
}

void run(const globals& all, const options& given) {
  const request_maker maker(given.request);
  access in(all);
  const identity with = identity::open(in, given.uri, identity::certificates::left_out);
  const made_request made = sign(maker, with);
  const bool to_stdout = given.out == "-";
  if (!to_stdout) write_file(given.out, made.pem);
  const hsmtls_identity_info info = with.info();
  if (all.json) {
    print_json({{"out", to_stdout ? json() : json(given.out)},
                {"pem", made.pem},
                {"subject", made.subject},
                {"key_uri", info.key_uri},
                {"key", info.key_name}});
    return;
  }
  if (to_stdout) print(made.pem);
  note(all,
       fmt::format("a request for {}, signed in the token by {} ({}), and verified{}",
                   made.subject,
                   info.key_uri,
                   info.key_name,
                   to_stdout ? "" : ": " + given.out));
}

}  // namespace

void add_csr(CLI::App& app, const globals& all) {
  CLI::App* const command =
      app.add_subcommand("csr", "Make a certificate request, signed by a key in a token");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The key")->required();
  command
      ->add_option("--subject",
                   given->request.subject,
                   "'CN=device-0001,O=Example' (RFC 4514) or '/O=Example/CN=device-0001'")
      ->required()
      ->type_name("NAME");
  command
      ->add_option("--san",
                   given->request.alternative_names,
                   "DNS:a.example,IP:192.0.2.1,URI:…,email:…; may be given several times")
      ->type_name("NAMES")
      ->expected(1)
      ->take_all();
  command->add_flag("--server",
                    given->request.for_server,
                    "Ask for a server's certificate (serverAuth), not a client's (clientAuth)");
  command->add_option("--out", given->out, "The file to write; - for stdout")
      ->required()
      ->type_name("FILE");
  command->footer(
      examples("  hsmtls csr 'pkcs11:token=edge;object=device-key' --subject CN=device-0001 "
               "--out device.csr\n"
               "  hsmtls csr 'pkcs11:token=edge;object=web' --subject CN=gw.example --server \\\n"
               "    --san DNS:gw.example,IP:192.0.2.1 --out -"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
