// Trusted certificates: from where they come, and how they are renewed while connections are made.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

answer reload(SSL_CTX* of) {
  return called([&](hsmtls_error** error) { return hsmtls_ssl_ctx_reload_trust(of, error); });
}

class Trust : public anonymous_client {
 protected:
  Trust() {
    std::string name = HSMTLS_TEST_SCRATCH "/trust-XXXXXX";
    EXPECT_NE(nullptr, mkdtemp(name.data()));
    folder = name;
  }
  ~Trust() override { std::filesystem::remove_all(folder); }

  // As it is renewed in practice: what is there is complete, old or new.
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / "new") << text;
    std::filesystem::rename(folder / "new", folder / name);
    return folder / name;
  }

  // What a client says that connects to `peer` with this context.
  [[nodiscard]] static answer connect(SSL_CTX* client, const software_peer& peer) {
    connection both(client, peer.context(HSMTLS_SERVER).get());
    both.run();
    return both.client_says();
  }
  [[nodiscard]] static answer refused(const context_options& options) {
    ssl_ctx made;
    return try_context(nullptr, options, made);
  }

  std::filesystem::path folder;
  authority renewed_ca{"Test CA, renewed"};
  software_peer renewed_broker{renewed_ca, for_host(host)};
};

TEST_F(Trust, ComesFromAFileATextAndAFolderTogether) {
  const authority third("Third CA");
  const std::string file = write("file", ca.pem());
  write("a.crt", renewed_ca.pem());
  write("README", "no certificate, and not read");
  const ssl_ctx client = context_of(
      nullptr,
      {.server_name = host, .trust = third.pem(), .trust_file = file, .trust_folder = folder});
  EXPECT_THAT(connect(client.get(), broker), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), renewed_broker), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), software_peer(third, for_host(host))), Says("OK", ""));
  const authority nobody("Nobody");
  EXPECT_THAT(connect(client.get(), software_peer(nobody, for_host(host))),
              Says("PEER_UNTRUSTED", "CN=Nobody"));
}

TEST_F(Trust, IsTheSystemsWhereNothingIsSaid) {
  const std::string file = write("system.pem", ca.pem());
  setenv("SSL_CERT_FILE", file.c_str(), 1);
  setenv("SSL_CERT_DIR", folder.c_str(), 1);
  const ssl_ctx client = context_of(nullptr, {.server_name = host});
  EXPECT_THAT(connect(client.get(), broker), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), renewed_broker), Says("PEER_UNTRUSTED", "renewed"));
  const ssl_ctx both =
      context_of(nullptr, {.server_name = host, .trust = renewed_ca.pem(), .trust_system = true});
  EXPECT_THAT(connect(both.get(), broker), Says("OK", ""));
  EXPECT_THAT(connect(both.get(), renewed_broker), Says("OK", ""));
  setenv("SSL_CERT_FILE", (folder / "nowhere").c_str(), 1);
  setenv("SSL_CERT_DIR", (folder / "nowhere.d").c_str(), 1);
  EXPECT_THAT(refused({.server_name = host}), Says("TRUST_UNUSABLE", "ca-certificates"));
}

TEST_F(Trust, IsRefusedByTheNameOfWhatCannotBeRead) {
  const auto refused_file = [&](const std::string& path) {
    return refused({.server_name = host, .trust_file = path});
  };
  const std::string nowhere = folder / "nowhere.pem";
  EXPECT_THAT(refused_file(nowhere), Says("TRUST_UNUSABLE", nowhere));
  const std::string empty = write("empty.pem", "");
  EXPECT_THAT(refused_file(empty), Says("TRUST_UNUSABLE", empty));
  const std::string broken = write(
      "broken.pem", ca.pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(refused_file(broken), Says("TRUST_UNUSABLE", broken));
  EXPECT_THAT(refused({.server_name = host, .trust = "no PEM"}),
              Says("TRUST_UNUSABLE", "the PEM text"));
}

TEST_F(Trust, IsRefusedByTheFileOfAFolderThatCannotBeRead) {
  const auto refused_folder = [&](const std::string& path) {
    return refused({.server_name = host, .trust_folder = path});
  };
  EXPECT_THAT(refused_folder(folder / "nowhere"), Says("TRUST_UNUSABLE", "nowhere"));
  EXPECT_THAT(refused_folder(folder), Says("TRUST_UNUSABLE", "no file named *.pem or *.crt"));
  write("good.pem", ca.pem());
  const std::string bad = write("bad.crt", "nothing");
  EXPECT_THAT(refused_folder(folder), Says("TRUST_UNUSABLE", bad));
}

TEST_F(Trust, IsRenewedWithoutANewContext) {
  const std::string file = write("trusted.pem", ca.pem());
  const ssl_ctx client = context_of(nullptr, {.server_name = host, .trust_file = file});
  EXPECT_THAT(connect(client.get(), broker), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), renewed_broker), Says("PEER_UNTRUSTED", "renewed"));
  write("trusted.pem", ca.pem() + renewed_ca.pem());
  ASSERT_THAT(reload(client.get()), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), broker), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), renewed_broker), Says("OK", ""));
  write("trusted.pem", renewed_ca.pem());
  ASSERT_THAT(reload(client.get()), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), broker), Says("PEER_UNTRUSTED", "CN=Test CA"));
  EXPECT_THAT(connect(client.get(), renewed_broker), Says("OK", ""));
}

TEST_F(Trust, StaysWhereTheNewOneCannotBeRead) {
  const std::string file = write("trusted.pem", ca.pem());
  const ssl_ctx client = context_of(nullptr, {.server_name = host, .trust_file = file});
  write("trusted.pem", "half a certif");
  EXPECT_THAT(reload(client.get()), Says("TRUST_UNUSABLE", file));
  EXPECT_THAT(connect(client.get(), broker), Says("OK", ""));
}

TEST_F(Trust, OfAContextThatIsNotOursIsNotReloaded) {
  const ssl_ctx plain = plain_context(HSMTLS_CLIENT, nullptr, {}, {});
  EXPECT_THAT(reload(plain.get()), Says("BAD_ARGUMENT", "hsmtls_identity_make_ssl_ctx"));
}

TEST_F(Trust, StillChecksNameAndDatesOnceItIsRenewed) {
  const std::string file = write("trusted.pem", renewed_ca.pem());
  const ssl_ctx client = context_of(nullptr, {.server_name = host, .trust_file = file});
  write("trusted.pem", ca.pem());
  ASSERT_THAT(reload(client.get()), Says("OK", ""));
  EXPECT_THAT(connect(client.get(), software_peer(ca, for_host("other.example"))),
              Says("PEER_WRONG_HOST", "'other.example'"));
  certificate_words old = for_host(host);
  old.until = -std::chrono::minutes(1);
  EXPECT_THAT(connect(client.get(), software_peer(ca, old)), Says("PEER_EXPIRED", "valid until"));
}

TEST_F(Trust, AsksTheUsersVerifyCallbackOnceItIsRenewed) {
  const std::string file = write("trusted.pem", renewed_ca.pem());
  const ssl_ctx client = context_of(nullptr, {.server_name = host, .trust_file = file});
  static std::atomic<int> asked{0};
  SSL_CTX_set_verify(client.get(), SSL_VERIFY_PEER, [](int fine, X509_STORE_CTX* context) {
    EXPECT_NE(nullptr, X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    ++asked;
    return fine;
  });
  write("trusted.pem", ca.pem());
  ASSERT_THAT(reload(client.get()), Says("OK", ""));
  connection both(client.get(), broker.context(HSMTLS_SERVER).get());
  both.run();
  EXPECT_TRUE(both.fine()) << both.client_says();
  EXPECT_LT(0, asked);
  EXPECT_EQ(X509_V_OK, SSL_get_verify_result(both.client()));
  EXPECT_EQ(2, sk_X509_num(SSL_get0_verified_chain(both.client())));
  EXPECT_STREQ(host, SSL_get0_peername(both.client()));
}

// A server of ours, whose clients have certificates by either authority.
class ServersTrust : public Trust {
 protected:
  ServersTrust() {
    write("trusted.pem", ca.pem());
    server = context_of(nullptr, {.role = HSMTLS_SERVER, .trust_file = folder / "trusted.pem"});
    EXPECT_EQ(1, SSL_CTX_use_certificate(server.get(), broker.certificate.get()));
    EXPECT_EQ(1, SSL_CTX_use_PrivateKey(server.get(), broker.key.get()));
  }
  ssl_ctx server;
};

TEST_F(ServersTrust, NamesTheNewAuthorityOnceItIsRenewed) {
  write("trusted.pem", renewed_ca.pem());
  ASSERT_THAT(reload(server.get()), Says("OK", ""));
  const software_peer client(renewed_ca, {.name = "device"});
  connection both(client.context(HSMTLS_CLIENT, {ca.certificate()}).get(), server.get());
  both.run();
  EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
  const STACK_OF(X509_NAME)* const names = SSL_get0_peer_CA_list(both.client());
  ASSERT_EQ(1, sk_X509_NAME_num(names));
  EXPECT_EQ(
      0,
      X509_NAME_cmp(X509_get_subject_name(renewed_ca.certificate()), sk_X509_NAME_value(names, 0)));
}

TEST_F(ServersTrust, EndsSessionsOfThoseWhoAreTrustedNoMore) {
  const software_peer client(ca, {.name = "device"});
  const ssl_ctx context = client.context(HSMTLS_CLIENT, {ca.certificate()});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(context.get(), version);
    write("trusted.pem", ca.pem());
    ASSERT_THAT(reload(server.get()), Says("OK", ""));
    connection first(context.get(), server.get());
    first.run();
    ASSERT_TRUE(first.fine()) << first.client_says() << '\n' << first.server_says();
    const ssl_session session(SSL_get1_session(first.client()));
    const auto again = [&] {
      auto both = std::make_unique<connection>(context.get(), server.get());
      SSL_set_session(both->client(), session.get());
      both->run();
      return both;
    };
    EXPECT_TRUE(again()->resumed()) << version;
    write("trusted.pem", renewed_ca.pem());
    ASSERT_THAT(reload(server.get()), Says("OK", ""));
    EXPECT_THAT(again()->server_says(), Says("PEER_UNTRUSTED", "CN=Test CA")) << version;
  }
}

TEST_F(Trust, IsRenewedWhileFourThreadsConnect) {
  const std::string file = write("trusted.pem", ca.pem());
  const ssl_ctx client = context_of(nullptr, {.server_name = host, .trust_file = file});
  const ssl_ctx old_server = broker.context(HSMTLS_SERVER);
  const ssl_ctx new_server = renewed_broker.context(HSMTLS_SERVER);
  constexpr int each = 50;
  std::atomic<int> running{4};
  std::atomic<int> succeeded{0};
  std::atomic<int> refused_ones{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < each; ++n) {
        connection both(client.get(), i % 2 == 0 ? old_server.get() : new_server.get());
        both.run();
        if (both.fine()) {
          ++succeeded;
        } else {
          EXPECT_THAT(both.client_says(), Says("PEER_UNTRUSTED", "CN=Test CA"));
          ++refused_ones;
        }
      }
      --running;
    });
  }
  for (int n = 0; running > 0; ++n) {
    write("trusted.pem", n % 2 == 0 ? renewed_ca.pem() : ca.pem());
    EXPECT_THAT(reload(client.get()), Says("OK", ""));
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(4 * each, succeeded + refused_ones);
}

}  // namespace
}  // namespace hsmtls::test
