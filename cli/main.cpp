// The command `hsmtls`: the command line, what all subcommands share, and the exit status.
#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <sstream>
#include <string_view>

#include "cli/commands/commands.hpp"
#include "cli/library/problem.hpp"
#include "cli/mistake.hpp"
#include "cli/output/print.hpp"
#include "hsmtls/hsmtls_openssl.h"

using namespace hsmtls::cli;

namespace {

constexpr const char* about =
    "Keys and certificates in an HSM or TPM, for mutual TLS.\n"
    "URI is a PKCS#11 URI (RFC 7512), as in 'pkcs11:token=edge;object=device-key'. Quote it: a "
    "shell\n"
    "ends a command at ';'.";

constexpr const char* ending =
    "Exit status: 0 all right, 1 it failed, 2 wrong usage (also: a URI that is malformed).\n\n"
    "The PIN is never an argument. It comes from pin-source in the URI, --pin-source,\n"
    "HSMTLS_PIN_SOURCE, or else is asked for on the terminal, without echo, where the token wants "
    "one.\n"
    "One that the token refused is not tried again.\n\n"
    "Environment: HSMTLS_MODULE (the vendor's PKCS#11 file), HSMTLS_PIN_SOURCE, "
    "HSMTLS_DEADLINE_MS,\n"
    "HSMTLS_LOG, HSMTLS_FINAL_TRY, NO_COLOR.\n\n"
    "Examples:\n"
    "  hsmtls tokens\n"
    "  hsmtls doctor 'pkcs11:token=edge;object=device-key' --connect broker.example:8883\n"
    "  hsmtls keygen --help";

bool asks_for_json(int count, char** arguments) {
  return std::any_of(arguments + 1, arguments + count, [](const char* one) {
    return std::string_view(one) == "--json";
  });
}

int run(int count, char** arguments) {
  globals all;
  CLI::App app(about, "hsmtls");
  app.fallthrough();  // what is said once for all may come behind the subcommand
  app.require_subcommand(1);
  app.footer(ending);
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", [] {
    return fmt::format("hsmtls {} ({})", hsmtls_version(), OpenSSL_version(OPENSSL_VERSION));
  });
  app.add_option("--module", all.module, "The vendor's PKCS#11 module; only this one is asked")
      ->type_name("FILE");
  app.add_option("--pin-source",
                 all.pin_source,
                 "Where the user's PIN is: file:/absolute/path, env:NAME or credential:NAME")
      ->type_name("SOURCE");
  app.add_flag("--json", all.json, "Print one JSON document on stdout, errors too");
  for (const auto add : {add_tokens,
                         add_list,
                         add_keygen,
                         add_csr,
                         add_import,
                         add_delete,
                         add_init,
                         add_pin,
                         add_pem,
                         add_connect,
                         add_doctor}) {
    add(app, all);
  }
  try {
    checked(hsmtls_openssl_bind,
            static_cast<const void*>(TLS_method()),
            static_cast<const void*>(EVP_sha256()));
    app.parse(count, arguments);
  } catch (const CLI::Success& asked) {
    std::ostringstream text;
    (void)app.exit(asked, text, text);
    print(text.str());
  } catch (const CLI::RuntimeError& failed) {
    return failed.get_exit_code();
  } catch (const CLI::ParseError& mistake) {
    throw mistake_of(app, mistake);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const bool as_json = asks_for_json(count, arguments);
  // A server or a reader that goes away is an error of the write like any other.
  (void)std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(count, arguments);
  } catch (const problem& what) {
    print_problem(what, as_json);
    return what.exit_status();
  } catch (const std::bad_alloc&) {
    print_problem({HSMTLS_NO_MEMORY, "there is no memory left"}, as_json);
  } catch (const std::exception& what) {
    print_problem({HSMTLS_INTERNAL, what.what()}, as_json);
  }
  return 1;
}
