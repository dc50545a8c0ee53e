// A TLS client with a key in a token: one handshake at a time, described.
#pragma once

#include <string>

#include "cli/library/identity.hpp"
#include "cli/openssl/handles.hpp"
#include "cli/tls/address.hpp"
#include "cli/tls/handshake.hpp"

namespace hsmtls::cli {

struct client_options {
  std::string certificate_file;  // of the trusted: PEM; empty: none
  std::string certificate_folder;
  bool system_trust = false;  // the system's, too; without any of the three it is the system's
  std::string server_name;    // empty: the host
  std::string alpn;           // separated by ','
  std::string version;        // "1.2" or "1.3"; empty: the newest
};

class tls_client {
 public:
  // Throws problem. `key` must outlive this.
  tls_client(const identity& key, address to, const client_options& how);
  // `connect` makes one connection, waits for the peer's verdict on our certificate, and closes it.
  // A further one resumes the session of the one before, if the peer gave one. Throws problem.
  handshake connect();

 private:
  const identity& key_;
  address to_;
  std::string server_name_;
  ssl_context context_;
};

}  // namespace hsmtls::cli
