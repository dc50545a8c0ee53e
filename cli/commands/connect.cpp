#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/commands/trust_options.hpp"
#include "cli/library/uri.hpp"
#include "cli/output/print.hpp"
#include "cli/terminal/spinner.hpp"
#include "cli/terminal/style.hpp"
#include "cli/tls/client.hpp"

namespace hsmtls::cli {
namespace {

struct options {
  std::string address;
  std::string key;
  std::string certificate;
  trust_options trust;
  unsigned repeat = 1;
};

std::string signed_by(const handshake& one, const std::string& key_uri) {
  std::string text;
  for (const signature_event& signature : one.signatures) {
    text += fmt::format("{}{} by {}, {:.1f} ms",
                        text.empty() ? "" : "; ",
                        mechanism_name(signature.mechanism),
                        key_uri,
                        static_cast<double>(signature.microseconds) / 1000);
  }
  return text.empty() ? "nothing (no signature was needed)" : text;
}

std::string own_signature(const handshake& one, const hsmtls_identity_info& key) {
  if (one.resumed || !one.own_signature.empty()) return one.own_signature;
  const std::string why = why_unsigned(one, key);
  return "nothing: " + (why.empty() ? "the server did not ask for a certificate" : why);
}

const char* verdict_text(verdict said) {
  switch (said) {
    case verdict::let_in:
      return "let in";
    case verdict::hung_up:
      return "none: the server hung up without a word";
    case verdict::silent:
      break;
  }
  return "none so far: the server said nothing";
}

void show(const handshake& one, const hsmtls_identity_info& key) {
  std::vector<std::pair<std::string, std::string>> facts{
      {"handshake",
       fmt::format("{}, {:.1f} ms", one.resumed ? "resumed" : "full", one.milliseconds)},
      {"version", one.version},
      {"cipher", one.cipher}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) facts.emplace_back(name, value);
  };
  add("group", one.group);
  add("ALPN", one.alpn);
  for (size_t i = 0; i < one.chain.size(); ++i) {
    const peer_certificate& its = one.chain[i];
    add(i == 0 ? "peer" : "",
        fmt::format("{}, issued by {}, until {}", its.subject, its.issuer, its.not_after));
  }
  add("peer signed", one.peer_signature);
  add("we signed", own_signature(one, key));
  facts.emplace_back("in the token", signed_by(one, key.key_uri));
  facts.emplace_back("verdict", verdict_text(one.said));
  print_facts(facts);
}

void run(const globals& all, const options& given) {
  const address to = parse_address(given.address);
  const client_options how = given.trust.checked();
  if (given.repeat < 1) throw usage("--repeat: at least once");
  access in(all);
  const identity key =
      identity::open(in, given.key, identity::certificates::wanted, given.certificate);
  const hsmtls_identity_info info = key.info();
  tls_client client(key, to, how);
  json connections = json::array();
  for (unsigned i = 0; i < given.repeat; ++i) {
    const handshake one = [&] {
      const spinner turning(fmt::format("connecting to {}", given.address));
      return client.connect();
    }();
    connections.push_back(to_json(one));
    if (all.json) continue;
    if (i > 0) print("\n");
    show(one, info);
  }
  const hsmtls_identity_counters counters = key.counters();
  if (all.json) {
    print_json({{"connections", connections},
                {"key",
                 {{"uri", info.key_uri},
                  {"name", info.key_name},
                  {"token", parsed(info.key_uri).token.value_or("")}}},
                {"counters",
                 {{"signatures", counters.signatures},
                  {"failed_signatures", counters.failed_signatures},
                  {"lost", counters.lost},
                  {"restored", counters.restored},
                  {"open_sessions", counters.open_sessions}}}});
    return;
  }
  print(styled(stdout,
               colour::dim,
               fmt::format("\n{} connections, {} signatures in the token, {} failed; the token was "
                           "lost {} times and brought back {}",
                           given.repeat,
                           counters.signatures,
                           counters.failed_signatures,
                           counters.lost,
                           counters.restored)) +
        "\n");
}

}  // namespace

void add_connect(CLI::App& app, const globals& all) {
  CLI::App* const command = app.add_subcommand(
      "connect", "Make a TLS connection with a key in a token, and show what was agreed on");
  const auto given = std::make_shared<options>();
  command->add_option("HOST:PORT", given->address, "The server")->required();
  command->add_option("--key", given->key, "The key")->required()->type_name("URI");
  command
      ->add_option("--certificate",
                   given->certificate,
                   "A PEM file or a URI; by default what the token has for the key")
      ->type_name("FILE|URI");
  given->trust.add_to(*command);
  command->add_option("--repeat", given->repeat, "How many connections; the later ones resume")
      ->type_name("N");
  command->footer(
      examples("  hsmtls connect broker.example:8883 --key 'pkcs11:token=edge;object=device-key'\n"
               "  hsmtls connect 127.0.0.1:8883 --key pkcs11:token=edge --ca ca.pem \\\n"
               "    --server-name broker.example --alpn mqtt --tls 1.3 --repeat 2"));
  command->callback([&all, given] { run(all, *given); });
}

}  // namespace hsmtls::cli
