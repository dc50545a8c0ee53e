// What a handshake came to, described.
#pragma once

#include <string>
#include <vector>

#include "cli/library/identity.hpp"
#include "cli/openssl/handles.hpp"
#include "cli/output/json.hpp"

namespace hsmtls::cli {

struct peer_certificate {
  std::string subject, issuer, not_after;
};

// What the server made of our certificate, as far as it says so.
enum class verdict {
  let_in,
  hung_up,  // it ended the connection before it said anything
  silent    // nothing came
};

struct handshake {
  bool resumed = false;
  std::string version, cipher, group, alpn;
  std::vector<std::string> accepted_schemes;  // of a client; empty: it asked for no certificate
  std::string peer_signature, own_signature;  // empty: none, as when resumed
  std::vector<peer_certificate> chain;        // as the peer sent it
  std::vector<signature_event> signatures;    // by the token
  double milliseconds = 0;                    // without the TCP connection
  verdict said = verdict::silent;
};

// `describe` returns what OpenSSL tells of a connection whose handshake is done; the rest is the
// caller's.
handshake describe(SSL* connection);

// `why_unsigned` says why a server that asked for a certificate got none, of a key that can sign none of
// what it takes; empty: it got one, or asked for none.
std::string why_unsigned(const handshake& what, const hsmtls_identity_info& key);

json to_json(const handshake& what);

}  // namespace hsmtls::cli
