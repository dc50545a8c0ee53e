// The options about the server that connect and doctor share.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "cli/tls/client.hpp"

namespace hsmtls::cli {

struct trust_options {
  std::vector<std::string> authorities;
  std::string folder;
  std::string server_name;
  std::string alpn;
  std::string version;

  void add_to(CLI::App& command) {
    command
        .add_option("--ca", authorities, "Who is trusted: a PEM file, or `system` (the default)")
        ->type_name("FILE|system")
        ->expected(1)
        ->take_all();
    command
        .add_option("--ca-folder", folder, "A folder of PEM files (*.pem, *.crt) that are trusted")
        ->type_name("FOLDER");
    command
        .add_option(
            "--server-name", server_name, "Whom the certificate must be for; by default HOST")
        ->type_name("NAME");
    command.add_option("--alpn", alpn, "Application protocols, most wanted first: mqtt,http/1.1")
        ->type_name("NAMES");
    command.add_option("--tls", version, "This version only: 1.2 or 1.3")->type_name("VERSION");
  }

  // Throws problem (BAD_ARGUMENT).
  [[nodiscard]] client_options checked() const {
    client_options made;
    for (const std::string& one : authorities) {
      if (one == "system") {
        made.system_trust = true;
      } else if (made.certificate_file.empty()) {
        made.certificate_file = one;
      } else {
        throw usage(
            "--ca: one file, which may hold several certificates; several files go into one "
            "--ca-folder");
      }
    }
    if (!version.empty() && version != "1.2" && version != "1.3")
      throw usage("--tls: '" + version + "' is neither 1.2 nor 1.3");
    made.certificate_folder = folder;
    made.server_name = server_name;
    made.alpn = alpn;
    made.version = version;
    return made;
  }
};

}  // namespace hsmtls::cli
