// hsmtls_identity_apply: which context takes which identity.
#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

answer apply(hsmtls_identity* identity, SSL_CTX* to) {
  return called([&](hsmtls_error** error) { return hsmtls_identity_apply(identity, to, error); });
}

class Presented : public over_softhsm {
 protected:
  // Whom a server sees that a client with this context comes to.
  std::string seen_from(SSL_CTX* client) {
    const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
    connection both(client, server.get());
    both.run();
    EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
    return both.client_seen_as();
  }
};

TEST_F(Presented, IsTheIdentityThatWasApplied) {
  const open_identity device = make_identity("device");
  const ssl_ctx client = plain_context(HSMTLS_CLIENT, nullptr, {}, {ca.certificate()});
  EXPECT_THAT(apply(device.get(), client.get()), Says("OK", ""));
  EXPECT_EQ("device", seen_from(client.get()));
}

TEST_F(Presented, IsTheOneThatWasAppliedLast) {
  const open_identity one = make_identity("one");
  const open_identity other = make_identity("other");
  const ssl_ctx client = plain_context(HSMTLS_CLIENT, nullptr, {}, {ca.certificate()});
  EXPECT_THAT(apply(one.get(), client.get()), Says("OK", ""));
  EXPECT_THAT(apply(other.get(), client.get()), Says("OK", ""));
  EXPECT_EQ("other", seen_from(client.get()));
}

TEST_F(Presented, TakesThePlaceOfASoftwareKeyOfItsKind) {
  const open_identity device = make_identity("device");
  const software_peer before(ca, {.name = "before"});
  const ssl_ctx client = before.context(HSMTLS_CLIENT, {ca.certificate()});
  EXPECT_THAT(apply(device.get(), client.get()), Says("OK", ""));
  EXPECT_EQ("device", seen_from(client.get()));
}

TEST_F(Presented, IsRefusedByAContextWithACertificateOfAnotherKindOfKey) {
  const open_identity device = make_identity("device");
  const software_peer before(ca, {.name = "before"}, "RSA:2048");
  const ssl_ctx client = before.context(HSMTLS_CLIENT, {ca.certificate()});
  EXPECT_THAT(apply(device.get(), client.get()), Says("BAD_ARGUMENT", "CN=before"));
  EXPECT_EQ("before", seen_from(client.get()));  // as it was
}

TEST_F(Presented, NeedsACertificate) {
  make_key("bare", HSMTLS_GENERATE_P256);
  const open_identity bare = open_key("bare", "");
  const ssl_ctx client = plain_context(HSMTLS_CLIENT, nullptr, {}, {});
  EXPECT_THAT(apply(bare.get(), client.get()),
              Says("CERTIFICATE_NOT_FOUND", "Open it again with its certificate"));
}

TEST_F(Presented, NeedsAnIdentityThatIsOpen) {
  const open_identity device = make_identity("device");
  hsmtls_identity_close(device.get());
  const ssl_ctx client = plain_context(HSMTLS_CLIENT, nullptr, {}, {});
  EXPECT_THAT(apply(device.get(), client.get()), Says("IDENTITY_CLOSED", "was closed"));
  ssl_ctx made;
  EXPECT_THAT(try_context(device.get(), as_client(), made), Says("IDENTITY_CLOSED", "was closed"));
}

TEST_F(Presented, NeedsAKeyThatIsLongEnoughForTheContext) {
  const open_identity device = make_identity("device", HSMTLS_GENERATE_RSA);
  const ssl_ctx strict = plain_context(HSMTLS_CLIENT, nullptr, {}, {});
  SSL_CTX_set_security_level(strict.get(), 3);  // 128 bits: RSA from 3072
  const answer refused = apply(device.get(), strict.get());
  EXPECT_THAT(refused, Says("UNSUPPORTED", "RSA 2048"));
  EXPECT_THAT(refused.message, HasSubstr("security level 3"));
}

TEST_F(Presented, SendsItsChainAndNothingThatIsTrusted) {
  const authority intermediate("Intermediate CA", ca);
  make_key("device", HSMTLS_GENERATE_P256);
  const x509 leaf = intermediate.issue(key_of("device").get(), {.name = "device"});
  const auto sent_with = [&](const std::string& certificates) {
    const open_identity device = open_key("device", certificates);
    context_options options = as_client();
    options.trust += intermediate.pem();  // which OpenSSL must not send by itself
    const ssl_ctx client = context_of(device.get(), options);
    const ssl_ctx server =
        broker.context(HSMTLS_SERVER, {ca.certificate(), intermediate.certificate()});
    connection both(client.get(), server.get());
    both.run();
    EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
    return sk_X509_num(SSL_get_peer_cert_chain(both.server()));
  };
  // A server's list is without the leaf.
  EXPECT_EQ(0, sent_with(pem_of(leaf.get())));
  EXPECT_EQ(1, sent_with(pem_of(leaf.get()) + intermediate.pem()));
}

TEST_F(Presented, SignsNoMoreOnceItsIdentityIsClosed) {
  const open_identity device = make_identity("device");
  const ssl_ctx client = context_of(device.get(), as_client());
  hsmtls_identity_close(device.get());
  const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
  connection both(client.get(), server.get());
  both.run();
  EXPECT_THAT(both.client_says(), Says("IDENTITY_CLOSED", "was closed"));
  EXPECT_THAT(both.server_says(), Says("PEER_REFUSED", "internal_error"));
}

TEST_F(Presented, SaysWhatTheTokenSaidWhereItCannotSign) {
  make_key("device", HSMTLS_GENERATE_P256);
  const x509 leaf = ca.issue(key_of("device").get(), {.name = "device"});
  const open_identity device = open_key("device", pem_of(leaf.get()), 100);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const ssl_ctx client = context_of(device.get(), as_client());
    SSL_CTX_set_max_proto_version(client.get(), version);
    const ssl_ctx server = broker.context(HSMTLS_SERVER, {ca.certificate()});
    connection both(client.get(), server.get());
    trouble.run("fail C_Sign * CKR_FUNCTION_FAILED");
    both.run();
    trouble.run("clear");
    EXPECT_THAT(both.client_says(), Says("SIGNATURE_FAILED", "CKR_FUNCTION_FAILED"));
    EXPECT_THAT(both.server_says(), Says("PEER_REFUSED", "internal_error"));
  }
}

TEST_F(Presented, IsSeenByTheServerWhoseKeyCannotSignAsItsFault) {
  make_key(host, HSMTLS_GENERATE_P256);
  const x509 leaf = ca.issue(key_of(host).get(), for_host(host));
  const open_identity server_identity = open_key(host, pem_of(leaf.get()), 100);
  const ssl_ctx server = context_of(
      server_identity.get(),
      {.role = HSMTLS_SERVER, .trust = ca.pem(), .flags = HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS});
  const ssl_ctx client = plain_context(HSMTLS_CLIENT, nullptr, {}, {ca.certificate()});
  connection both(client.get(), server.get());
  trouble.run("fail C_Sign * CKR_FUNCTION_FAILED");
  both.run();
  EXPECT_THAT(both.server_says(), Says("SIGNATURE_FAILED", "CKR_FUNCTION_FAILED"));
  EXPECT_THAT(both.client_says(), Says("PEER_REFUSED", "internal_error"));
}

}  // namespace
}  // namespace hsmtls::test
