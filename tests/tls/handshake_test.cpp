// Handshakes with a token's key, as a client and as a server.
#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

struct way {
  hsmtls_generate_kind kind;
  uint32_t version;
};

class Handshake : public over_softhsm, public testing::WithParamInterface<way> {};

TEST_P(Handshake, SucceedsWithATokenKeyAtBothEnds) {
  const open_identity device = make_identity("device", GetParam().kind);
  certificate_words words;
  words.names = {"DNS:broker.example"};
  const open_identity broker = make_identity("broker", GetParam().kind, words);
  context_options as_client{.server_name = "broker.example", .trust = ca.pem()};
  as_client.min_version = as_client.max_version = GetParam().version;
  context_options as_server{.role = HSMTLS_SERVER, .trust = ca.pem()};
  const ssl_ctx client = context_of(device.get(), as_client);
  const ssl_ctx server = context_of(broker.get(), as_server);
  connection both(client.get(), server.get());
  both.run();
  EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
  EXPECT_EQ("device", both.client_seen_as());
  EXPECT_EQ(static_cast<int>(GetParam().version), SSL_version(both.client()));
}

INSTANTIATE_TEST_SUITE_P(,
                         Handshake,
                         testing::Values(way{HSMTLS_GENERATE_P256, TLS1_2_VERSION},
                                         way{HSMTLS_GENERATE_P256, TLS1_3_VERSION},
                                         way{HSMTLS_GENERATE_RSA, TLS1_2_VERSION},
                                         way{HSMTLS_GENERATE_RSA, TLS1_3_VERSION},
                                         way{HSMTLS_GENERATE_ED25519, TLS1_2_VERSION},
                                         way{HSMTLS_GENERATE_ED25519, TLS1_3_VERSION}));

}  // namespace
}  // namespace hsmtls::test
