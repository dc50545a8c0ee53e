// Handshakes with a token's key, as a client and as a server.
#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

struct way {
  hsmtls_generate_kind kind;
  uint32_t version;
};
void PrintTo(const way& one, std::ostream* out) {
  *out << "key " << one.kind << ", TLS 1." << (one.version & 0xffU) - 1;
}

class Handshake : public over_softhsm, public testing::WithParamInterface<way> {};

TEST_P(Handshake, SucceedsWithATokenKeyAtBothEnds) {
  const open_identity device = make_identity("device", GetParam().kind);
  const open_identity server_identity = make_identity(host, GetParam().kind, for_host(host));
  context_options options = as_client();
  options.min_version = options.max_version = GetParam().version;
  const ssl_ctx client = context_of(device.get(), options);
  const ssl_ctx server =
      context_of(server_identity.get(), {.role = HSMTLS_SERVER, .trust = ca.pem()});
  connection both(client.get(), server.get());
  both.run();
  EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
  EXPECT_EQ("device", both.client_seen_as());
  EXPECT_EQ(static_cast<int>(GetParam().version), SSL_version(both.client()));
}

TEST_P(Handshake, CostsTwoCallsOfTheTokenInFullAndNoneResumed) {
  const open_identity device = make_identity("device", GetParam().kind);
  context_options options = as_client();
  options.min_version = options.max_version = GetParam().version;
  const ssl_ctx client = context_of(device.get(), options);
  const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
  const auto calls_of_one = [&] {
    connection both(client.get(), server.get());
    EXPECT_THAT(
        called([&](hsmtls_error** error) { return hsmtls_ssl_resume(both.client(), error); }),
        Says("OK", ""));
    const uint64_t before = trouble.total();
    both.run();
    EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
    EXPECT_EQ("device", both.client_seen_as());
    return std::pair(trouble.total() - before, both.resumed());
  };
  (void)calls_of_one();  // the first opens what the token layer keeps open
  // What it left is used up, one ticket after the other.
  std::vector<std::pair<uint64_t, bool>> seen;
  for (int i = 0; i < 4; ++i) seen.push_back(calls_of_one());
  EXPECT_THAT(seen, testing::Each(std::pair(uint64_t{0}, true)));

  options.flags = HSMTLS_TLS_NO_RESUMPTION;
  const ssl_ctx full = context_of(device.get(), options);
  for (int i = 0; i < 3; ++i) {
    connection both(full.get(), server.get());
    (void)hsmtls_ssl_resume(both.client(), nullptr);
    const uint64_t before = trouble.total();
    both.run();
    EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
    EXPECT_FALSE(both.resumed());
    EXPECT_EQ(2U, trouble.total() - before);
  }
}

INSTANTIATE_TEST_SUITE_P(,
                         Handshake,
                         testing::Values(way{HSMTLS_GENERATE_P256, TLS1_2_VERSION},
                                         way{HSMTLS_GENERATE_P256, TLS1_3_VERSION},
                                         way{HSMTLS_GENERATE_RSA, TLS1_2_VERSION},
                                         way{HSMTLS_GENERATE_RSA, TLS1_3_VERSION},
                                         way{HSMTLS_GENERATE_ED25519, TLS1_2_VERSION},
                                         way{HSMTLS_GENERATE_ED25519, TLS1_3_VERSION}));

class UnusualHandshake : public over_softhsm {};

TEST_F(UnusualHandshake, BeginsAgainWhereTheServerWantsAnotherGroup) {
  const open_identity device = make_identity("device");
  const ssl_ctx client = context_of(device.get(), as_client());
  ASSERT_EQ(1, SSL_CTX_set1_groups_list(client.get(), "X25519:P-384"));
  const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
  ASSERT_EQ(1, SSL_CTX_set1_groups_list(server.get(), "P-384"));
  int hellos = 0;
  SSL_CTX_set_msg_callback(
      server.get(), [](int sent, int, int type, const void* bytes, size_t, SSL*, void* count) {
        if (sent == 0 && type == SSL3_RT_HANDSHAKE &&
            *static_cast<const unsigned char*>(bytes) == SSL3_MT_CLIENT_HELLO) {
          ++*static_cast<int*>(count);
        }
      });
  SSL_CTX_set_msg_callback_arg(server.get(), &hellos);
  connection both(client.get(), server.get());
  both.run();
  EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
  EXPECT_EQ(2, hellos);
  EXPECT_EQ("device", both.client_seen_as());
}

TEST_F(UnusualHandshake, SendsAChainThatIsLongerThanARecord) {
  const authority intermediate("Intermediate CA", ca);
  make_key("device", HSMTLS_GENERATE_P256);
  certificate_words words;
  words.padding = 17000;
  const x509 leaf = intermediate.issue(key_of("device").get(), words);
  const open_identity device = open_key("device", pem_of(leaf.get()) + intermediate.pem());
  const ssl_ctx client = context_of(device.get(), as_client());
  const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
  connection both(client.get(), server.get());
  both.run();
  EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
  EXPECT_EQ("device", both.client_seen_as());
}

TEST_F(UnusualHandshake, IsRefusedByBothSidesWhereTheKeyHasNoAlgorithmThatIsAskedFor) {
  const open_identity device = make_identity("device", HSMTLS_GENERATE_ED25519);
  const ssl_ctx client = context_of(device.get(), as_client());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
    ASSERT_EQ(1, SSL_CTX_set_max_proto_version(server.get(), version));
    ASSERT_EQ(1, SSL_CTX_set1_client_sigalgs_list(server.get(), "ecdsa_secp256r1_sha256"));
    connection both(client.get(), server.get());
    both.run();
    EXPECT_THAT(both.client_says(), Says("NO_COMMON_ALGORITHM", "did not send it")) << version;
    EXPECT_THAT(both.server_says(), Says("PEER_CERTIFICATE", "showed no certificate")) << version;
  }
}

}  // namespace
}  // namespace hsmtls::test
