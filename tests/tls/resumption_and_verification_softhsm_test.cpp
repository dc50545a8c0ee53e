// A session stands for a verification: it is kept, offered and taken only where the trust of its context
// alone decided, and alone would decide again.
#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

int accept_all(int /*fine*/, X509_STORE_CTX* context) {
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}
int refuse_all(int /*fine*/, X509_STORE_CTX* context) {
  X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

class ResumptionAndVerification : public over_softhsm, public testing::WithParamInterface<int> {
 protected:
  [[nodiscard]] ssl_ctx client() const {
    ssl_ctx made = context_of(device.get(), as_client());
    SSL_CTX_set_max_proto_version(made.get(), GetParam());
    return made;
  }
  // A connection to `peer` that offers what there is to resume.
  [[nodiscard]] std::unique_ptr<connection> connect(SSL_CTX* from, const ssl_ctx& peer) const {
    auto both = std::make_unique<connection>(from, peer.get());
    EXPECT_EQ(asked(hsmtls_ssl_resume, both->client()), HSMTLS_OK);
    both->run();
    return both;
  }

  open_identity device = make_identity("device");
  ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
  authority other_ca{"Other CA"};
  software_peer impostor{other_ca, for_host(host)};
  ssl_ctx impostors = impostor.context(HSMTLS_SERVER);
};

TEST_P(ResumptionAndVerification, NoContextResumesWhatACertificateAddedByHandVerified) {
  const ssl_ctx extended = client();
  X509_STORE_add_cert(SSL_CTX_get_cert_store(extended.get()), other_ca.certificate());
  EXPECT_TRUE(connect(extended.get(), impostors)->fine());
  EXPECT_FALSE(connect(extended.get(), impostors)->resumed());
  EXPECT_THAT(connect(client().get(), impostors)->client_says(),
              Says("PEER_UNTRUSTED", "Other CA"));
}

TEST_P(ResumptionAndVerification, NoContextResumesWhatACallbackLetIn) {
  const ssl_ctx lenient = client();
  SSL_CTX_set_verify(lenient.get(), SSL_VERIFY_PEER, accept_all);
  EXPECT_TRUE(connect(lenient.get(), impostors)->fine());
  EXPECT_THAT(connect(client().get(), impostors)->client_says(),
              Says("PEER_UNTRUSTED", "Other CA"));
}

TEST_P(ResumptionAndVerification, ACallbackIsAskedEachTime) {
  EXPECT_TRUE(connect(client().get(), server)->fine());
  const ssl_ctx strict = client();
  SSL_CTX_set_verify(strict.get(), SSL_VERIFY_PEER, refuse_all);
  EXPECT_FALSE(connect(strict.get(), server)->fine());
}

TEST_P(ResumptionAndVerification, AStoreOfTheApplicationsIsAskedEachTime) {
  EXPECT_TRUE(connect(client().get(), server)->fine());
  const ssl_ctx with_store = client();
  SSL_CTX_set_cert_store(with_store.get(), X509_STORE_new());
  EXPECT_FALSE(connect(with_store.get(), server)->fine());

  const ssl_ctx usual = client();
  connection both(usual.get(), server.get());
  const std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>> empty(X509_STORE_new());
  SSL_set1_verify_cert_store(both.client(), empty.get());
  EXPECT_EQ(asked(hsmtls_ssl_resume, both.client()), HSMTLS_OK);
  both.run();
  EXPECT_FALSE(both.fine());
}

TEST_P(ResumptionAndVerification, StricterRulesAreAppliedInFull) {
  EXPECT_TRUE(connect(client().get(), server)->fine());
  EXPECT_TRUE(connect(client().get(), server)->resumed());
  const ssl_ctx strict = client();
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(strict.get()), X509_V_FLAG_CRL_CHECK);
  EXPECT_THAT(connect(strict.get(), server)->client_says(), Says("PEER_CERTIFICATE", "CRL"));
}

// A server of ours, and a client with a software key that keeps its session by itself.
class OurServer : public ResumptionAndVerification {
 protected:
  [[nodiscard]] ssl_ctx ours(const std::string& trust) const {
    ssl_ctx made = context_of(nullptr, {.role = HSMTLS_SERVER, .trust = trust});
    SSL_CTX_use_certificate(made.get(), broker.certificate.get());
    SSL_CTX_use_PrivateKey(made.get(), broker.key.get());
    return made;
  }
  [[nodiscard]] ssl_ctx client_of(const software_peer& who) const {
    ssl_ctx made = who.context(HSMTLS_CLIENT, {ca.certificate()});
    SSL_CTX_set_max_proto_version(made.get(), GetParam());
    return made;
  }
  [[nodiscard]] static std::unique_ptr<connection> connect_as(SSL_CTX* from,
                                                              SSL_CTX* to,
                                                              const char* name = nullptr,
                                                              SSL_SESSION* session = nullptr) {
    auto both = std::make_unique<connection>(from, to);
    if (name != nullptr) SSL_set_tlsext_host_name(both->client(), name);
    if (session != nullptr) SSL_set_session(both->client(), session);
    both->run();
    return both;
  }
};

TEST_P(OurServer, TakesNoTicketOfAClientThatACertificateAddedByHandVerified) {
  const ssl_ctx to = ours(ca.pem());
  const ssl_ctx from = client_of(software_peer(other_ca, {.name = "guest"}));
  EXPECT_THAT(connect_as(from.get(), to.get())->server_says(), Says("PEER_UNTRUSTED", "Other CA"));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(to.get()), other_ca.certificate());
  const auto first = connect_as(from.get(), to.get());
  ASSERT_TRUE(first->fine()) << first->server_says();
  const ssl_session session(SSL_get1_session(first->client()));
  ASSERT_EQ(asked(hsmtls_ssl_ctx_reload_trust, to.get()), HSMTLS_OK);
  EXPECT_THAT(connect_as(from.get(), to.get(), nullptr, session.get())->server_says(),
              Says("PEER_UNTRUSTED", "Other CA"));
}

TEST_P(OurServer, TakesTicketsForTheNameThatTheyWereMadeForOnly) {
  const ssl_ctx for_a = ours(ca.pem());
  static ssl_ctx for_b;
  for_b = ours(other_ca.pem());
  SSL_CTX_set_tlsext_servername_callback(
      for_a.get(), +[](SSL* connection, int*, void*) {
        const std::string name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
        if (name == "b.example") SSL_set_SSL_CTX(connection, for_b.get());
        return SSL_TLSEXT_ERR_OK;
      });
  const software_peer friend_of_a(ca, {.name = "device"});
  const ssl_ctx from = client_of(friend_of_a);
  const auto first = connect_as(from.get(), for_a.get(), "a.example");
  ASSERT_TRUE(first->fine()) << first->client_says() << '\n' << first->server_says();
  const ssl_session session(SSL_get1_session(first->client()));
  EXPECT_TRUE(connect_as(from.get(), for_a.get(), "a.example", session.get())->resumed());
  const auto elsewhere = connect_as(from.get(), for_a.get(), "b.example", session.get());
  EXPECT_FALSE(elsewhere->fine());
  EXPECT_THAT(elsewhere->server_says(), Says("PEER_UNTRUSTED", "Test CA"));
  for_b.reset();
}

const auto versions = testing::Values(TLS1_2_VERSION, TLS1_3_VERSION);
const auto version_name = [](const auto& one) {
  return one.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
};
INSTANTIATE_TEST_SUITE_P(, ResumptionAndVerification, versions, version_name);
INSTANTIATE_TEST_SUITE_P(, OurServer, versions, version_name);

}  // namespace
}  // namespace hsmtls::test
