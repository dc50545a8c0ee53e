#include "cli/commands/commands.hpp"
#include "cli/commands/trust_options.hpp"
#include "cli/doctor/steps.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string uri;
  std::string certificate;
  std::string connect_to;
  trust_options trust;
};

// From the token to the key with its certificate.
std::optional<identity> examine(checklist& list, const patient& of) {
  if (!check_modules(list, of)) {
    list.skips("token", "no module can be used");
    return std::nullopt;
  }
  const bool may_log_in = check_token(list, of);
  const bool has_pin = check_pin_source(list, of);
  if (!may_log_in || !has_pin) {
    list.skips("key", "there is no way into the token");
    return std::nullopt;
  }
  const std::optional<identity> key = check_key(list, of);
  if (key) check_signatures(list, *key);
  const bool worth_looking = key || !list.has_failed();
  if (!worth_looking) {
    list.skips("certificate", "there is no key that it could be for");
    return std::nullopt;
  }
  std::optional<identity> complete = check_certificate(list, of);
  if (complete && !key) check_signatures(list, *complete);
  return complete;
}

void run(const globals& all, const options& given) {
  const client_options how = given.trust.checked();
  std::optional<address> to;
  if (!given.connect_to.empty()) to = parse_address(given.connect_to);
  access in(all);
  const patient of{all, in, given.uri, given.certificate};
  checklist list(all);
  check_openssl(list);
  std::optional<identity> complete;
  const bool is_uri = check_uri(list, of);
  if (is_uri) complete = examine(list, of);
  check_stock_programs(list);
  if (to && complete) check_handshake(list, *complete, *to, how);
  if (to && !complete) list.skips("handshake", "there is nothing to show the server");
  list.finish();
  if (list.has_failed()) throw CLI::RuntimeError(is_uri ? 1 : 2);
}

}  // namespace

void add_doctor(CLI::App& app, const globals& all) {
  CLI::App* const command = app.add_subcommand(
      "doctor", "Check everything, from the module's file to the finished handshake");
  const auto given = std::make_shared<options>();
  command->add_option("URI", given->uri, "The key")->required();
  command
      ->add_option("--certificate",
                   given->certificate,
                   "A PEM file or a URI; by default what the token has for the key")
      ->type_name("FILE|URI");
  command->add_option("--connect", given->connect_to, "Also shake hands with this server")
      ->type_name("HOST:PORT");
  given->trust.add_to(*command);
  command->footer(examples(
      "  hsmtls doctor 'pkcs11:token=edge;object=device-key'\n"
      "  hsmtls doctor 'pkcs11:token=edge;object=device-key' --connect broker.example:8883 "
      "--ca ca.pem\n"
      "Exit status 1 if any step failed, 2 if it was the URI itself."));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
