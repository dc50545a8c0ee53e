// hsmtls_ssl_explain: what each side is told when a connection is not made.
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include <openssl/err.h>

#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

class Refusal : public anonymous_client {
 protected:
  // Connects, and keeps what both sides say.
  void connect(SSL_CTX* client_context, SSL_CTX* server_context) {
    connection both(client_context, server_context);
    both.run();
    EXPECT_FALSE(both.fine());
    client = both.client_says();
    server = both.server_says();
  }
  void connect_to(const software_peer& peer) {
    connect(context_of(nullptr, as_client()).get(), peer.context(HSMTLS_SERVER).get());
  }
  // A client of ours with a software key comes to a server that demands certificates.
  void come_as(const software_peer& peer, int version) {
    const ssl_ctx mine = context_of(nullptr, as_client());
    ASSERT_EQ(1, SSL_CTX_use_certificate(mine.get(), peer.certificate.get()));
    ASSERT_EQ(1, SSL_CTX_use_PrivateKey(mine.get(), peer.key.get()));
    const ssl_ctx demanding = our_server();
    SSL_CTX_set_max_proto_version(demanding.get(), version);
    connect(mine.get(), demanding.get());
  }
  [[nodiscard]] ssl_ctx our_server() const {
    ssl_ctx made = context_of(nullptr, {.role = HSMTLS_SERVER, .trust = ca.pem()});
    SSL_CTX_use_certificate(made.get(), broker.certificate.get());
    SSL_CTX_use_PrivateKey(made.get(), broker.key.get());
    return made;
  }

  answer client;
  answer server;
};

// ---- the peer's certificate

TEST_F(Refusal, OfAnUnknownAuthorityNamesIt) {
  const authority stranger("Stranger CA");
  connect_to(software_peer(stranger, for_host(host)));
  EXPECT_THAT(client, Says("PEER_UNTRUSTED", "'CN=Stranger CA'"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "unknown_ca"));
}

TEST_F(Refusal, OfAMissingIntermediateNamesIt) {
  const authority intermediate("Intermediate CA", ca);
  connect_to(software_peer(intermediate, for_host(host)));
  EXPECT_THAT(client, Says("PEER_UNTRUSTED", "'CN=Intermediate CA'"));
  EXPECT_THAT(client.message, HasSubstr("must send that intermediate"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "unknown_ca"));
}

TEST_F(Refusal, OfAnUnknownRootThatIsSentNamesIt) {
  const authority stranger("Stranger CA");
  const software_peer peer(stranger, for_host(host));
  const ssl_ctx sending = plain_context(
      HSMTLS_SERVER, peer.key.get(), {peer.certificate.get(), stranger.certificate()}, {});
  connect(context_of(nullptr, as_client()).get(), sending.get());
  EXPECT_THAT(client, Says("PEER_UNTRUSTED", "leads to the root 'CN=Stranger CA'"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "unknown_ca"));
}

TEST_F(Refusal, OfASelfSignedCertificateSaysSo) {
  const authority itself(host);
  const evp_key key = software_key();
  const x509 self_signed = certificate_for(key.get(), key.get(), 1, X509_VERSION_3);
  const ssl_ctx sending = plain_context(HSMTLS_SERVER, key.get(), {self_signed.get()}, {});
  connect(context_of(nullptr, as_client()).get(), sending.get());
  EXPECT_THAT(client, Says("PEER_UNTRUSTED", "signed by itself"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "unknown_ca"));
}

TEST_F(Refusal, OfAnExpiredCertificateNamesItAndTheDate) {
  certificate_words words = for_host(host);
  words.until = -std::chrono::hours(24);
  words.from = -std::chrono::hours(48);
  connect_to(software_peer(ca, words));
  EXPECT_THAT(client, Says("PEER_EXPIRED", "'CN=broker.example' was valid until 20"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "certificate_expired"));
}

TEST_F(Refusal, OfACertificateOfTheFutureAsksForTheClock) {
  certificate_words words = for_host(host);
  words.from = std::chrono::hours(24);
  words.until = std::chrono::hours(48);
  connect_to(software_peer(ca, words));
  EXPECT_THAT(client, Says("PEER_EXPIRED", "the clock may be wrong"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "bad_certificate"));
}

TEST_F(Refusal, WhereTheClockBeganIn1970AsksForTheClock) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(mine.get()), 60);
  connect(mine.get(), broker.context(HSMTLS_SERVER).get());
  EXPECT_THAT(client, Says("PEER_EXPIRED", "the clock may be wrong"));
}

TEST_F(Refusal, OfAnotherHostNamesWhatTheCertificateHas) {
  connect_to(software_peer(
      ca, {.name = "other", .names = {"DNS:a.example", "DNS:*.b.example", "IP:192.0.2.1"}}));
  EXPECT_THAT(client,
              Says("PEER_WRONG_HOST",
                   "'a.example', '*.b.example', '192.0.2.1' and not for 'broker.example'"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "bad_certificate"));
}

TEST_F(Refusal, TakesNoPartialWildcard) {
  connect_to(software_peer(ca, {.name = "other", .names = {"DNS:bro*.example"}}));
  EXPECT_THAT(client, Says("PEER_WRONG_HOST", "'bro*.example'"));
}

TEST_F(Refusal, OfACertificateForAnotherUseSaysSo) {
  const authority odd("Odd");
  // An authority's certificate is no server's key: keyUsage lacks digitalSignature.
  certificate_words words = for_host(host);
  words.authority = true;
  connect_to(software_peer(ca, words));
  EXPECT_THAT(client, Says("PEER_CERTIFICATE", "not accepted"));
  EXPECT_THAT(server, Says("PEER_REFUSED", "certificate"));
}

// ---- our certificate

TEST_F(Refusal, OfAClientWithoutCertificate) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  const ssl_ctx demanding = our_server();
  connect(mine.get(), demanding.get());
  EXPECT_THAT(client, Says("PEER_REFUSED", "wants a certificate"));
  EXPECT_THAT(client.message, HasSubstr("apply an identity"));
  EXPECT_THAT(server, Says("PEER_CERTIFICATE", "showed no certificate"));
  SSL_CTX_set_max_proto_version(mine.get(), TLS1_2_VERSION);
  connect(mine.get(), demanding.get());
  EXPECT_THAT(client, Says("PEER_REFUSED", "asked for a certificate, and this context has none"));
  EXPECT_THAT(server, Says("PEER_CERTIFICATE", "showed no certificate"));
}

TEST_F(Refusal, OfAClientWhoseAuthorityTheServerDoesNotTrust) {
  const authority stranger("Stranger CA");
  const software_peer device(stranger, {.name = "device"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    come_as(device, version);
    EXPECT_THAT(client, Says("PEER_REFUSED", "does not trust the authority"));
    EXPECT_THAT(server, Says("PEER_UNTRUSTED", "'CN=Stranger CA'"));
  }
}

TEST_F(Refusal, OfAClientWhoseCertificateHasExpired) {
  certificate_words words{.name = "device"};
  words.until = -std::chrono::minutes(1);
  come_as(software_peer(ca, words), TLS1_3_VERSION);
  EXPECT_THAT(client, Says("PEER_REFUSED", "Have it renewed"));
  EXPECT_THAT(server, Says("PEER_EXPIRED", "'CN=device'"));
}

// ---- versions and algorithms

TEST_F(Refusal, OfAServerThatIsTooOld) {
  const ssl_ctx old = broker.context(HSMTLS_SERVER);
  SSL_CTX_set_security_level(old.get(), 0);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  connect(context_of(nullptr, as_client()).get(), old.get());
  EXPECT_THAT(client, Says("PROTOCOL_VERSION", "TLS 1.2 and newer"));
  EXPECT_THAT(server, Says("PROTOCOL_VERSION", "demands a newer one"));
}

TEST_F(Refusal, OfAServerThatAnswersInAnOldVersion) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  connection both(mine.get(), broker.context(HSMTLS_SERVER).get());
  // RFC 4346 section 7.4.1.3: a ServerHello of TLS 1.1, ECDHE-RSA-AES128-SHA.
  std::string hello("\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02", 11);
  hello += std::string(32, 'r') + std::string("\x00\xc0\x13\x00", 4);
  both.send_to_client(hello);
  both.run();
  EXPECT_THAT(both.client_says(), Says("PROTOCOL_VERSION", "it chose an older one"));
}

TEST_F(Refusal, OfAServerThatSpeaksTls13Only) {
  const ssl_ctx modern = broker.context(HSMTLS_SERVER);
  SSL_CTX_set_min_proto_version(modern.get(), TLS1_3_VERSION);
  context_options options = as_client();
  options.max_version = TLS1_2_VERSION;
  connect(context_of(nullptr, options).get(), modern.get());
  EXPECT_THAT(client, Says("PROTOCOL_VERSION", "This side accepts TLS 1.2 only"));
  EXPECT_THAT(server, Says("PROTOCOL_VERSION", "speaks TLS 1.2 at most"));
}

TEST_F(Refusal, OfAClientThatIsTooOld) {
  const ssl_ctx old = plain_context(HSMTLS_CLIENT, nullptr, {}, {ca.certificate()});
  SSL_CTX_set_security_level(old.get(), 0);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  connect(old.get(), our_server().get());
  EXPECT_THAT(client, Says("PROTOCOL_VERSION", "accepts none"));
  EXPECT_THAT(server, Says("PROTOCOL_VERSION", "speaks TLS 1.1 at most"));
}

TEST_F(Refusal, WhereNoCipherIsInCommon) {
  const ssl_ctx narrow = broker.context(HSMTLS_SERVER);
  SSL_CTX_set_max_proto_version(narrow.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(narrow.get(), "ECDHE-ECDSA-AES256-GCM-SHA384");
  const ssl_ctx mine = context_of(nullptr, as_client());
  SSL_CTX_set_cipher_list(mine.get(), "ECDHE-ECDSA-AES128-GCM-SHA256");
  // With a certificate or without: it is not what the two disagree about.
  for (const bool with_certificate : {false, true}) {
    if (with_certificate) {
      SSL_CTX_use_certificate(mine.get(), broker.certificate.get());
      SSL_CTX_use_PrivateKey(mine.get(), broker.key.get());
    }
    connect(mine.get(), narrow.get());
    EXPECT_THAT(client, Says("PEER_REFUSED", "no cipher or signature algorithm in common"));
    EXPECT_THAT(server, Says("NO_COMMON_ALGORITHM", "cipher"));
  }
}

TEST_F(Refusal, OfAServerWithoutACertificateSaysSo) {
  const ssl_ctx bare = context_of(
      nullptr,
      {.role = HSMTLS_SERVER, .trust = ca.pem(), .flags = HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS});
  for (const uint32_t version : {0x0303U, 0x0304U}) {
    context_options options = as_client();
    options.max_version = version;
    connect(context_of(nullptr, options).get(), bare.get());
    EXPECT_THAT(client, Says("PEER_REFUSED", "handshake_failure"));
    EXPECT_THAT(server, Says("NO_COMMON_ALGORITHM", "no certificate at all"));
  }
}

TEST_F(Refusal, WhereNoSignatureAlgorithmIsInCommon) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  SSL_CTX_set1_sigalgs_list(mine.get(), "rsa_pss_rsae_sha256");
  connect(mine.get(), broker.context(HSMTLS_SERVER).get());
  EXPECT_THAT(client, Says("PEER_REFUSED", "handshake_failure"));
  EXPECT_THAT(server, Says("NO_COMMON_ALGORITHM", "signature algorithm"));
}

TEST_F(Refusal, WhereNoGroupIsInCommon) {
  const ssl_ctx narrow = broker.context(HSMTLS_SERVER);
  SSL_CTX_set1_groups_list(narrow.get(), "P-384");
  const ssl_ctx mine = context_of(nullptr, as_client());
  SSL_CTX_set1_groups_list(mine.get(), "X25519");
  connect(mine.get(), narrow.get());
  EXPECT_THAT(client, Says("PEER_REFUSED", "handshake_failure"));
  EXPECT_THAT(server, Says("NO_COMMON_ALGORITHM", "group"));
}

TEST_F(Refusal, WhereNoApplicationProtocolIsInCommon) {
  context_options options = as_client();
  options.alpn = "h2";
  const ssl_ctx speaking = context_of(nullptr,
                                      {.role = HSMTLS_SERVER,
                                       .trust = ca.pem(),
                                       .alpn = "mqtt",
                                       .flags = HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS});
  SSL_CTX_use_certificate(speaking.get(), broker.certificate.get());
  SSL_CTX_use_PrivateKey(speaking.get(), broker.key.get());
  connect(context_of(nullptr, options).get(), speaking.get());
  EXPECT_THAT(client, Says("NO_COMMON_ALGORITHM", "ALPN"));
  EXPECT_THAT(server, Says("NO_COMMON_ALGORITHM", "ALPN"));
}

// ---- no TLS, no connection

TEST_F(Refusal, OfAPeerThatAnswersHttp) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  connection both(mine.get(), broker.context(HSMTLS_SERVER).get());
  both.send_to_client("HTTP/1.1 400 Bad Request\r\n\r\n");
  both.run();
  EXPECT_THAT(both.client_says(), Says("NOT_TLS", "Is this the port for TLS"));
}

TEST_F(Refusal, OfAClientThatSpeaksHttp) {
  const ssl_ctx ours = our_server();
  const ssl_ctx any = plain_context(HSMTLS_CLIENT, nullptr, {}, {});
  connection both(any.get(), ours.get());
  BIO_puts(SSL_get_wbio(both.client()), "GET / HTTP/1.1\r\n\r\n");
  both.run();
  EXPECT_THAT(both.server_says(), Says("NOT_TLS", "HTTP"));
}

TEST_F(Refusal, OfAPeerThatHangsUp) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  connection both(mine.get(), broker.context(HSMTLS_SERVER).get());
  both.send_to_client("");
  both.run();
  EXPECT_THAT(both.client_says(), Says("CONNECTION_LOST", "hung up"));
}

TEST_F(Refusal, OfASocketThatIsGoneNamesTheSystemsError) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  close(ends[1]);
  const ssl one(SSL_new(mine.get()));
  SSL_set_fd(one.get(), ends[0]);
  const int result = SSL_connect(one.get());
  const answer said =
      called([&](hsmtls_error** error) { return hsmtls_ssl_explain(one.get(), result, error); });
  EXPECT_THAT(said, Says("CONNECTION_LOST", "Broken pipe"));
  close(ends[0]);
}

TEST_F(Refusal, IsNoneWhereTheCallHasOnlyToBeRepeated) {
  const ssl_ctx mine = context_of(nullptr, as_client());
  connection both(mine.get(), broker.context(HSMTLS_SERVER).get());
  const int result = SSL_do_handshake(both.client());
  EXPECT_THAT(called([&](hsmtls_error** error) {
                return hsmtls_ssl_explain(both.client(), result, error);
              }),
              Says("OK", ""));
}

TEST_F(Refusal, LeavesNothingOnTheQueueAndTellsTheReasonBeneath) {
  const authority stranger("Stranger CA");
  const software_peer peer(stranger, for_host(host));
  const ssl_ctx mine = context_of(nullptr, as_client());
  const ssl_ctx theirs = peer.context(HSMTLS_SERVER);
  connection both(mine.get(), theirs.get());
  int result = SSL_do_handshake(both.client());
  (void)SSL_do_handshake(both.server());
  result = SSL_do_handshake(both.client());
  hsmtls_error* error = nullptr;
  EXPECT_EQ(HSMTLS_PEER_UNTRUSTED, hsmtls_ssl_explain(both.client(), result, &error));
  EXPECT_STREQ("certificate verify failed", hsmtls_error_openssl_reason(error));
  EXPECT_EQ(SSL_R_CERTIFICATE_VERIFY_FAILED, ERR_GET_REASON(hsmtls_error_openssl(error)));
  EXPECT_EQ(0U, ERR_peek_error());
  hsmtls_error_free(error);
}

TEST_F(Refusal, OfNullIsAnError) {
  EXPECT_THAT(called([](hsmtls_error** error) { return hsmtls_ssl_explain(nullptr, -1, error); }),
              Says("BAD_ARGUMENT", "null"));
  EXPECT_THAT(called([](hsmtls_error** error) { return hsmtls_ssl_resume(nullptr, error); }),
              Says("BAD_ARGUMENT", "null"));
}

}  // namespace
}  // namespace hsmtls::test
