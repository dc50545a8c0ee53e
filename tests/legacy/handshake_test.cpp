// TLS handshakes in memory with a method key on the client's side.
#include <openssl/ssl.h>

#include "tests/legacy/fixture.hpp"

namespace hsmtls::test {
namespace {

using ssl_context = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_connection = std::unique_ptr<SSL, freed_by<SSL_free>>;

class MethodKeyHandshake : public over_three_keys, public testing::WithParamInterface<int> {
 protected:
  static ssl_context context(const SSL_METHOD* method, EVP_PKEY* key) {
    ssl_context made(SSL_CTX_new(method));
    const x509 certificate = certificate_for(key, key, 1, X509_VERSION_3);
    EXPECT_EQ(1, SSL_CTX_use_certificate(made.get(), certificate.get()));
    EXPECT_EQ(1, SSL_CTX_use_PrivateKey(made.get(), key));
    EXPECT_EQ(1, SSL_CTX_set_min_proto_version(made.get(), GetParam()));
    EXPECT_EQ(1, SSL_CTX_set_max_proto_version(made.get(), GetParam()));
    return made;
  }

  // Whether the server got the certificate of `key`.
  static bool handshake(SSL_CTX* client_context, SSL_CTX* server_context, EVP_PKEY* key) {
    const ssl_connection client(SSL_new(client_context));
    const ssl_connection server(SSL_new(server_context));
    BIO* one = nullptr;
    BIO* other = nullptr;
    EXPECT_EQ(1, BIO_new_bio_pair(&one, 0, &other, 0));
    SSL_set_bio(client.get(), one, one);
    SSL_set_bio(server.get(), other, other);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    for (int turns = 0; turns < 20; ++turns) {
      const int to_server = SSL_do_handshake(client.get());
      const int to_client = SSL_do_handshake(server.get());
      if (to_server != 1 || to_client != 1) continue;
      EXPECT_EQ(GetParam(), SSL_version(server.get()));
      const x509 got(SSL_get1_peer_certificate(server.get()));
      return got != nullptr && EVP_PKEY_eq(X509_get0_pubkey(got.get()), key) == 1;
    }
    return false;
  }

  void expect_handshakes(const private_key& from) {
    const method_key mine = legacy.of(from);
    const evp_key servers(EVP_EC_gen("P-256"));
    const ssl_context client = context(TLS_client_method(), mine.get());
    const ssl_context server = context(TLS_server_method(), servers.get());
    SSL_CTX_set_verify(server.get(),
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       [](int, X509_STORE_CTX*) { return 1; });
    EXPECT_TRUE(handshake(client.get(), server.get(), mine.get()));
    for (int i = 0; i < 3; ++i) {
      trouble.run("drop-sessions");
      EXPECT_TRUE(handshake(client.get(), server.get(), mine.get())) << "after a reset";
    }
  }
};

TEST_P(MethodKeyHandshake, OfAnEcKeyAlsoAfterResets) {
  expect_handshakes(ec);
}

TEST_P(MethodKeyHandshake, OfAnRsaKeyAlsoAfterResets) {
  expect_handshakes(rsa);
}

INSTANTIATE_TEST_SUITE_P(,
                         MethodKeyHandshake,
                         testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& with) {
                           return with.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace hsmtls::test
