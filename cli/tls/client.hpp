// A TLS client with a key in a token: one handshake at a time, described.
#pragma once

#include <string>
#include <vector>

#include "cli/library/identity.hpp"
#include "cli/openssl/handles.hpp"
#include "cli/output/json.hpp"
#include "cli/tls/address.hpp"

namespace hsmtls::cli {

struct client_options {
  std::string certificate_file;  // of the trusted: PEM; empty: none
  std::string certificate_folder;
  bool system_trust = false;  // the system's, too; without any of the three it is the system's
  std::string server_name;    // empty: the host
  std::string alpn;           // separated by ','
  std::string version;        // "1.2" or "1.3"; empty: the newest
};

struct peer_certificate {
  std::string subject, issuer, not_after;
};

struct handshake {
  bool resumed = false;
  std::string version, cipher, group, alpn;
  std::string peer_signature, own_signature;  // empty: none, as when resumed
  std::vector<peer_certificate> chain;        // as the peer sent it
  std::vector<signature_event> signatures;    // by the token
  double milliseconds = 0;                    // without the TCP connection
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

json to_json(const handshake& what);

}  // namespace hsmtls::cli
