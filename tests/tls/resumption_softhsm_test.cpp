// Sessions are resumed only as the same identity, to the same name, with the same trust and ALPN.
#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

class Resumption : public over_softhsm, public testing::WithParamInterface<int> {
 protected:
  Resumption() { SSL_CTX_set_max_proto_version(server.get(), GetParam()); }

  struct seen {
    std::string as;
    bool resumed = false;
    friend bool operator==(const seen&, const seen&) = default;
    friend void PrintTo(const seen& one, std::ostream* out) {
      *out << one.as << (one.resumed ? ", resumed" : ", in full");
    }
  };
  seen connect(SSL_CTX* client, const char* sni = nullptr) {
    connection both(client, server.get());
    if (sni != nullptr) SSL_set_tlsext_host_name(both.client(), sni);
    EXPECT_THAT(
        called([&](hsmtls_error** error) { return hsmtls_ssl_resume(both.client(), error); }),
        Says("OK", ""));
    both.run();
    EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
    return {both.client_seen_as(), both.resumed()};
  }
  seen connect(hsmtls_identity* identity, const context_options& options) {
    return connect(context_of(identity, options).get());
  }

  ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
};

TEST_P(Resumption, IsSharedByTheContextsOfAnIdentity) {
  const open_identity device = make_identity("device");
  EXPECT_EQ((seen{"device", false}), connect(device.get(), as_client()));
  EXPECT_EQ((seen{"device", true}), connect(device.get(), as_client()));
}

TEST_P(Resumption, NeverPresentsAnotherIdentity) {
  const open_identity one = make_identity("one");
  const open_identity other = make_identity("other");
  EXPECT_EQ((seen{"one", false}), connect(one.get(), as_client()));
  EXPECT_EQ((seen{"other", false}), connect(other.get(), as_client()));
  EXPECT_EQ((seen{"one", true}), connect(one.get(), as_client()));
  EXPECT_EQ((seen{"other", true}), connect(other.get(), as_client()));
}

TEST_P(Resumption, NeverPresentsTheIdentityThatAContextHadBefore) {
  const open_identity one = make_identity("one");
  const open_identity other = make_identity("other");
  const ssl_ctx client = context_of(one.get(), as_client());
  EXPECT_EQ((seen{"one", false}), connect(client.get()));
  ASSERT_THAT(called([&](hsmtls_error** error) {
                return hsmtls_identity_apply(other.get(), client.get(), error);
              }),
              Says("OK", ""));
  EXPECT_EQ((seen{"other", false}), connect(client.get()));
  EXPECT_EQ((seen{"other", true}), connect(client.get()));
}

TEST_P(Resumption, IsToTheSameNameOnly) {
  const software_peer two_names(ca,
                                {.name = host, .names = {"DNS:broker.example", "DNS:b.example"}});
  server = two_names.context(HSMTLS_SERVER, {ca.certificate()});
  SSL_CTX_set_max_proto_version(server.get(), GetParam());
  const open_identity device = make_identity("device");
  context_options options = as_client();
  EXPECT_FALSE(connect(device.get(), options).resumed);
  options.server_name = "b.example";
  EXPECT_FALSE(connect(device.get(), options).resumed);
  EXPECT_TRUE(connect(device.get(), options).resumed);
}

TEST_P(Resumption, GoesByTheNameThatIsSentWhereTheCallerChecksIt) {
  const open_identity device = make_identity("device");
  const ssl_ctx client =
      context_of(device.get(), {.trust = ca.pem(), .flags = HSMTLS_TLS_HOST_CHECKED_BY_CALLER});
  EXPECT_FALSE(connect(client.get(), "a.example").resumed);
  EXPECT_FALSE(connect(client.get(), "b.example").resumed);
  EXPECT_TRUE(connect(client.get(), "a.example").resumed);
  // To nobody in particular: never.
  EXPECT_FALSE(connect(client.get()).resumed);
  EXPECT_FALSE(connect(client.get()).resumed);
}

TEST_P(Resumption, IsWithTheSameTrustOnly) {
  const authority unrelated("Unrelated CA");
  const open_identity device = make_identity("device");
  context_options options = as_client();
  EXPECT_FALSE(connect(device.get(), options).resumed);
  options.trust += unrelated.pem();
  EXPECT_FALSE(connect(device.get(), options).resumed);
  options.trust = unrelated.pem() + ca.pem();  // the same in another order
  EXPECT_TRUE(connect(device.get(), options).resumed);
}

TEST_P(Resumption, IsWithTheSameProtocolsOnly) {
  const open_identity device = make_identity("device");
  context_options options = as_client();
  options.alpn = "mqtt";
  EXPECT_FALSE(connect(device.get(), options).resumed);
  options.alpn = "h2,mqtt";
  EXPECT_FALSE(connect(device.get(), options).resumed);
  EXPECT_TRUE(connect(device.get(), options).resumed);
}

TEST_P(Resumption, EndsWithTheIdentity) {
  const open_identity device = make_identity("device");
  const ssl_ctx client = context_of(device.get(), as_client());
  EXPECT_FALSE(connect(client.get()).resumed);
  hsmtls_identity_close(device.get());
  connection both(client.get(), server.get());
  (void)hsmtls_ssl_resume(both.client(), nullptr);
  both.run();
  EXPECT_THAT(both.client_says(), Says("IDENTITY_CLOSED", "was closed"));
}

TEST_P(Resumption, IsNotOfferedAgainToAServerThatTookOffence) {
  expect_foreign_leaks();  // libssl 3.0's server leaks the session whose ticket it aborts over
  const open_identity device = make_identity("device");
  EXPECT_FALSE(connect(device.get(), as_client()).resumed);
  SSL_CTX_set_session_ticket_cb(
      server.get(),
      [](SSL*, void*) { return 1; },
      [](SSL*, SSL_SESSION*, const unsigned char*, size_t, SSL_TICKET_STATUS status, void*) {
        return status == SSL_TICKET_EMPTY ? SSL_TICKET_RETURN_IGNORE_RENEW
                                          : SSL_TICKET_RETURN_ABORT;
      },
      nullptr);
  const ssl_ctx client = context_of(device.get(), as_client());
  connection refused(client.get(), server.get());
  (void)hsmtls_ssl_resume(refused.client(), nullptr);
  refused.run();
  EXPECT_FALSE(refused.fine());
  EXPECT_FALSE(connect(client.get()).resumed);
}

TEST_P(Resumption, SurvivesConnectionsThatBreak) {
  // None of these connections is closed in the proper way.
  const open_identity device = make_identity("device");
  EXPECT_FALSE(connect(device.get(), as_client()).resumed);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(connect(device.get(), as_client()).resumed) << i;
}

TEST_P(Resumption, IsNotOfferedWhereItIsSwitchedOff) {
  const open_identity device = make_identity("device");
  context_options options = as_client();
  EXPECT_FALSE(connect(device.get(), options).resumed);
  options.flags = HSMTLS_TLS_NO_RESUMPTION;
  EXPECT_FALSE(connect(device.get(), options).resumed);
}

TEST_P(Resumption, IsDoneByAServerOfOurs) {
  const open_identity device = make_identity("device");
  const open_identity server_identity = make_identity(host, HSMTLS_GENERATE_P256, for_host(host));
  server = context_of(server_identity.get(), {.role = HSMTLS_SERVER, .trust = ca.pem()});
  SSL_CTX_set_max_proto_version(server.get(), GetParam());
  EXPECT_EQ((seen{"device", false}), connect(device.get(), as_client()));
  EXPECT_EQ((seen{"device", true}), connect(device.get(), as_client()));
  EXPECT_EQ((seen{"device", true}), connect(device.get(), as_client()));
}

TEST_P(Resumption, IsNotDoneByAServerWithoutIt) {
  const open_identity device = make_identity("device");
  const open_identity server_identity = make_identity(host, HSMTLS_GENERATE_P256, for_host(host));
  server =
      context_of(server_identity.get(),
                 {.role = HSMTLS_SERVER, .trust = ca.pem(), .flags = HSMTLS_TLS_NO_RESUMPTION});
  SSL_CTX_set_max_proto_version(server.get(), GetParam());
  EXPECT_FALSE(connect(device.get(), as_client()).resumed);
  EXPECT_FALSE(connect(device.get(), as_client()).resumed);
}

INSTANTIATE_TEST_SUITE_P(,
                         Resumption,
                         testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& one) {
                           return one.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace hsmtls::test
