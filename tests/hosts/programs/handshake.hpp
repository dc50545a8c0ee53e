// A handshake in memory, by the OpenSSL of the program that includes this.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/support/freed_by.hpp"

namespace hsmtls::test {

using ssl_ctx = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl = std::unique_ptr<SSL, freed_by<SSL_free>>;

inline void must(bool holds, const char* what) {
  if (holds) return;
  ERR_print_errors_fp(stderr);
  throw std::runtime_error(what);
}

inline ssl_ctx context(const std::string& folder) {
  ssl_ctx made(SSL_CTX_new(TLS_method()));
  must(SSL_CTX_load_verify_file(made.get(), (folder + "/ca.pem").c_str()) == 1, "ca.pem");
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return made;
}

// A context of the device's, with `key` in whatever form it came.
inline ssl_ctx device_context(const std::string& folder, const std::string& name, EVP_PKEY* key) {
  ssl_ctx made = context(folder);
  must(SSL_CTX_use_certificate_file(
           made.get(), (folder + "/" + name + ".pem").c_str(), SSL_FILETYPE_PEM) == 1,
       "the device's certificate");
  must(SSL_CTX_use_PrivateKey(made.get(), key) == 1, "the device's key");
  must(SSL_CTX_check_private_key(made.get()) == 1, "the key is not the certificate's");
  return made;
}

// `device` is the client; its peer has a software key. Both want the other's certificate.
inline void handshake(const std::string& folder, SSL_CTX* device) {
  const ssl_ctx peer = context(folder);
  must(SSL_CTX_use_certificate_file(
           peer.get(), (folder + "/server.pem").c_str(), SSL_FILETYPE_PEM) == 1,
       "server.pem");
  must(SSL_CTX_use_PrivateKey_file(
           peer.get(), (folder + "/server.key").c_str(), SSL_FILETYPE_PEM) == 1,
       "server.key");
  const ssl client(SSL_new(device));
  const ssl server(SSL_new(peer.get()));
  BIO* at_client = nullptr;
  BIO* at_server = nullptr;
  must(BIO_new_bio_pair(&at_client, 0, &at_server, 0) == 1, "a pair of BIOs");
  SSL_set_bio(client.get(), at_client, at_client);
  SSL_set_bio(server.get(), at_server, at_server);
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  bool done = false;
  while (!done) {
    done = true;
    for (SSL* side : {client.get(), server.get()}) {
      const int result = SSL_do_handshake(side);
      if (result == 1) continue;
      const int why = SSL_get_error(side, result);
      must(why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE, "the handshake failed");
      done = false;
    }
  }
  must(SSL_get0_peer_certificate(server.get()) != nullptr, "the peer saw no certificate");
}

}  // namespace hsmtls::test
