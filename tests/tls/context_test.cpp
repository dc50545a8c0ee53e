// hsmtls_identity_make_ssl_ctx: what it takes, and what the context is like.
#include <openssl/conf.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/processes.hpp"
#include "tests/tls/fixture.hpp"

namespace hsmtls::test {
namespace {

class Context : public anonymous_client {
 protected:
  answer refused(const context_options& options) const {
    ssl_ctx made;
    return try_context(nullptr, options, made);
  }
  answer refused_name(const std::string& name) const {
    return refused({.server_name = name, .trust = ca.pem()});
  }
};

TEST_F(Context, OfAClientNeedsTheNameOfItsServer) {
  EXPECT_THAT(refused({.trust = ca.pem()}), Says("BAD_ARGUMENT", "options.server_name"));
  EXPECT_THAT(refused({.trust = ca.pem()}),
              Says("BAD_ARGUMENT", "HSMTLS_TLS_HOST_CHECKED_BY_CALLER"));
  EXPECT_THAT(refused({.trust = ca.pem(), .flags = HSMTLS_TLS_HOST_CHECKED_BY_CALLER}),
              Says("OK", ""));
}

TEST_F(Context, RefusesWhatIsNoHostName) {
  EXPECT_THAT(refused_name("mqtts://broker.example"), Says("BAD_ARGUMENT", "without scheme"));
  EXPECT_THAT(refused_name("broker.example:8883"), Says("BAD_ARGUMENT", "port"));
  EXPECT_THAT(refused_name(".example"), Says("BAD_ARGUMENT", "begins with a dot"));
  EXPECT_THAT(refused_name("b\u00fccher.example"), Says("BAD_ARGUMENT", "ASCII"));
  EXPECT_THAT(refused({.role = HSMTLS_SERVER, .server_name = host, .trust = ca.pem()}),
              Says("BAD_ARGUMENT", "for clients"));
}

TEST_F(Context, RefusesVersionsThatAreTooOldOrLeaveNone) {
  context_options options = as_client();
  options.min_version = TLS1_1_VERSION;
  EXPECT_THAT(refused(options), Says("BAD_ARGUMENT", "0x0303"));
  options.min_version = TLS1_3_VERSION;
  options.max_version = TLS1_2_VERSION;
  EXPECT_THAT(refused(options), Says("BAD_ARGUMENT", "leave no version"));
}

TEST_F(Context, RefusesMalformedProtocolNames) {
  context_options options = as_client();
  for (const std::string& wrong : {std::string(","), std::string("h2,"), std::string(256, 'x')}) {
    options.alpn = wrong;
    EXPECT_THAT(refused(options), Says("BAD_ARGUMENT", "options.alpn")) << wrong;
  }
}

TEST_F(Context, LeavesToItsUserWhatIsTheUsers) {
  const ssl_ctx made = context_of(nullptr, as_client());
  EXPECT_EQ(nullptr, SSL_CTX_get_ex_data(made.get(), 0));
  EXPECT_EQ(nullptr, SSL_CTX_get_default_passwd_cb_userdata(made.get()));
  EXPECT_EQ(nullptr, SSL_CTX_get_default_passwd_cb(made.get()));
}

TEST_F(Context, VerifiesAndSpeaksNothingOldAndDoesNotRenegotiate) {
  for (const hsmtls_role role : {HSMTLS_CLIENT, HSMTLS_SERVER}) {
    context_options options{.role = role, .trust = ca.pem()};
    if (role == HSMTLS_CLIENT) options.server_name = host;
    const ssl_ctx made = context_of(nullptr, options);
    EXPECT_EQ(
        role == HSMTLS_CLIENT ? SSL_VERIFY_PEER : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        SSL_CTX_get_verify_mode(made.get()));
    EXPECT_EQ(TLS1_2_VERSION, SSL_CTX_get_min_proto_version(made.get()));
    EXPECT_NE(0U, SSL_CTX_get_options(made.get()) & SSL_OP_NO_RENEGOTIATION);
  }
}

TEST_F(Context, AcceptsAnAddressAndANameWithADotBehind) {
  const software_peer by_address(
      ca, {.name = "gateway", .names = {"IP:192.0.2.7", "IP:2001:db8:0:0:0:0:0:7"}});
  const auto connects = [&](const software_peer& to, const std::string& name) {
    const ssl_ctx client = context_of(nullptr, {.server_name = name, .trust = ca.pem()});
    connection both(client.get(), to.context(HSMTLS_SERVER).get());
    both.run();
    return both.client_says();
  };
  EXPECT_THAT(connects(by_address, "192.0.2.7"), Says("OK", ""));
  EXPECT_THAT(connects(by_address, "2001:db8::7"), Says("OK", ""));
  EXPECT_THAT(connects(by_address, "[2001:db8::7]"), Says("OK", ""));
  EXPECT_THAT(connects(by_address, "192.0.2.8"), Says("PEER_WRONG_HOST", "'192.0.2.7'"));
  EXPECT_THAT(connects(broker, "broker.example."), Says("OK", ""));
}

TEST_F(Context, AgreesOnAProtocol) {
  context_options options = as_client();
  options.alpn = "h2,mqtt";
  const ssl_ctx client = context_of(nullptr, options);
  const ssl_ctx server = context_of(nullptr,
                                    {.role = HSMTLS_SERVER,
                                     .trust = ca.pem(),
                                     .alpn = "x,mqtt",
                                     .flags = HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS});
  ASSERT_EQ(1, SSL_CTX_use_certificate(server.get(), broker.certificate.get()));
  ASSERT_EQ(1, SSL_CTX_use_PrivateKey(server.get(), broker.key.get()));
  connection both(client.get(), server.get());
  both.run();
  EXPECT_TRUE(both.fine()) << both.client_says() << '\n' << both.server_says();
  const unsigned char* chosen = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(both.client(), &chosen, &length);
  EXPECT_EQ("mqtt", std::string(reinterpret_cast<const char*>(chosen), length));
}

TEST_F(Context, OfAServerNamesTheAuthoritiesItTrusts) {
  const authority other("Other CA");
  const ssl_ctx server =
      context_of(nullptr, {.role = HSMTLS_SERVER, .trust = ca.pem() + other.pem()});
  ASSERT_EQ(1, SSL_CTX_use_certificate(server.get(), broker.certificate.get()));
  ASSERT_EQ(1, SSL_CTX_use_PrivateKey(server.get(), broker.key.get()));
  const ssl_ctx client = plain_context(HSMTLS_CLIENT, nullptr, {}, {ca.certificate()});
  connection both(client.get(), server.get());
  both.run();
  const STACK_OF(X509_NAME)* const names = SSL_get0_peer_CA_list(both.client());
  ASSERT_EQ(2, sk_X509_NAME_num(names));
  EXPECT_EQ(0,
            X509_NAME_cmp(X509_get_subject_name(ca.certificate()), sk_X509_NAME_value(names, 0)));
}

TEST_F(Context, NamesAnArgumentThatMustNotBeNull) {
  const ssl_ctx plain = plain_context(HSMTLS_CLIENT, nullptr, {}, {});
  hsmtls_tls_options options{};
  options.struct_size = sizeof options;
  SSL_CTX* made = nullptr;
  const auto refuses = [](const char* name, auto&& call) {
    EXPECT_THAT(called(call), Says("BAD_ARGUMENT", name));
  };
  refuses("`identity`",
          [&](hsmtls_error** error) { return hsmtls_identity_apply(nullptr, plain.get(), error); });
  refuses("`options`", [&](hsmtls_error** error) {
    return hsmtls_identity_make_ssl_ctx(nullptr, nullptr, &made, error);
  });
  refuses("`out_ssl_ctx`", [&](hsmtls_error** error) {
    return hsmtls_identity_make_ssl_ctx(nullptr, &options, nullptr, error);
  });
  refuses("SSL_CTX",
          [&](hsmtls_error** error) { return hsmtls_ssl_ctx_reload_trust(nullptr, error); });
}

TEST_F(Context, IsNoLaxerThanThePolicyOfTheHost) {
  std::string file = HSMTLS_TEST_SCRATCH "/openssl-XXXXXX";
  const int made_file = mkstemp(file.data());
  ASSERT_LE(0, made_file);
  close(made_file);
  std::ofstream(file) << "openssl_conf = init\n[init]\nssl_conf = modules\n[modules]\n"
                         "system_default = policy\n[policy]\nMinProtocol = TLSv1.3\n"
                         "Groups = P-384\n";
  // In a process of its own: OpenSSL keeps the policy.
  child strict([&] {
    return expectations([&] {
      EXPECT_EQ(1, CONF_modules_load_file(file.c_str(), nullptr, 0));
      const ssl_ctx client = context_of(nullptr, as_client());
      EXPECT_EQ(TLS1_3_VERSION, SSL_CTX_get_min_proto_version(client.get()));
      context_options older = as_client();
      older.max_version = TLS1_2_VERSION;
      EXPECT_THAT(refused(older), Says("BAD_ARGUMENT", "openssl.cnf"));
      const ssl_ctx server = broker.context(HSMTLS_SERVER);
      connection both(client.get(), server.get());
      both.run();
      EXPECT_TRUE(both.fine()) << both.client_says();
      EXPECT_EQ(NID_secp384r1, SSL_get_negotiated_group(both.client()));
    });
  });
  EXPECT_TRUE(strict.wait().fine());
  std::filesystem::remove(file);
}

TEST_F(Context, IsMadeByAnOlderOrNewerProgram) {
  hsmtls_tls_options options{};
  options.server_name = host;
  SSL_CTX* made = nullptr;
  const auto make = [&] {
    return called([&](hsmtls_error** error) {
      return hsmtls_identity_make_ssl_ctx(nullptr, &options, &made, error);
    });
  };
  EXPECT_THAT(make(), Says("BAD_ARGUMENT", "struct_size"));
  options.struct_size = sizeof options;
  options.flags = 1U << 31U;
  EXPECT_THAT(make(), Says("BAD_ARGUMENT", "options has a flag"));
  options.flags = 0;
  options.role = 3;
  EXPECT_THAT(make(), Says("BAD_ARGUMENT", "options.role"));
  EXPECT_EQ(nullptr, made);
}

}  // namespace
}  // namespace hsmtls::test
