// TLS without sockets: two ends of a connection in memory, contexts of libhsmtls.so and peers that are
// OpenSSL alone.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "tests/support/identities.hpp"

namespace hsmtls::test {

using ssl_ctx = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl = std::unique_ptr<SSL, freed_by<SSL_free>>;
using ssl_session = std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>>;

// `context_options` are the options of hsmtls_identity_make_ssl_ctx, with trust as PEM text or in
// places.
struct context_options {
  hsmtls_role role = HSMTLS_CLIENT;
  std::string server_name{};
  std::string trust{};
  std::string trust_file{};
  std::string trust_folder{};
  bool trust_system = false;
  std::string alpn{};
  uint32_t min_version = 0;
  uint32_t max_version = 0;
  uint32_t flags = 0;
};
answer try_context(hsmtls_identity* identity, const context_options& options, ssl_ctx& out);
// Throws std::runtime_error.
ssl_ctx context_of(hsmtls_identity* identity, const context_options& options);

// `plain_context` is a context as any other program makes it: a software key and its certificates, leaf
// first (none: null); it demands the peer's certificate if it trusts somebody.
ssl_ctx plain_context(hsmtls_role role,
                      EVP_PKEY* key,
                      const std::vector<X509*>& chain,
                      const std::vector<X509*>& trusted);

// `connection` is a client and a server that talk to each other in memory.
class connection {
 public:
  connection(SSL_CTX* client, SSL_CTX* server);

  [[nodiscard]] SSL* client() const { return client_.ssl.get(); }
  [[nodiscard]] SSL* server() const { return server_.ssl.get(); }

  // `run` does the handshake, and one message each way, as far as both sides come. What went wrong is
  // explained where and when it happened.
  void run();
  // Both got the other's message.
  [[nodiscard]] bool fine() const { return client_.done && server_.done; }
  [[nodiscard]] const answer& client_says() const { return client_.said; }
  [[nodiscard]] const answer& server_says() const { return server_.said; }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(client()) == 1; }
  // CN of the certificate that the server got; "": none.
  [[nodiscard]] std::string client_seen_as() const;

  // `send_to_client` makes the client's peer say these bytes, and hang up, instead of shaking hands.
  void send_to_client(const std::string& bytes);

 private:
  struct side {
    test::ssl ssl{};
    bool shaken = false;
    bool sent = false;
    bool done = false;
    bool failed = false;
    answer said{};
  };
  // Whether there was anything that it could do.
  static bool step(side& one);

  side client_;
  side server_;
};

}  // namespace hsmtls::test
