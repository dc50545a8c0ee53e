// SSL contexts of an identity in C++: handshakes with a peer that has a software key.
#include <gmock/gmock.h>

#include <optional>

#include "hsmtls/openssl.hpp"
#include "tests/hosts/programs/handshake.hpp"
#include "tests/support/device.hpp"

namespace hsmtls::test {
namespace {

class CppContexts : public testing::Test {
 protected:
  void SetUp() override {
    if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
    made.emplace();
    identity_options options;
    options.key = device::uri("ec");
    options.certificate = made->file("ec.pem");
    options.module = softhsm_module();
    options.login.pin_source = made->pin_source();
    one = identity::open(options);
    client.server_name = "localhost";
    client.trust.file = made->file("ca.pem");
  }
  [[nodiscard]] std::string folder() const { return made->token().folder(); }

  std::optional<device> made;
  identity one;
  tls_options client;
};

TEST_F(CppContexts, AreReadyForUse) {
  const ssl_ctx_ptr context = one.make_ssl_ctx(client);
  ASSERT_TRUE(context);
  EXPECT_NO_THROW(handshake(folder(), context.get()));
  EXPECT_EQ(1U, one.counters().signatures);
}

TEST_F(CppContexts, OfOnesOwnPresentTheIdentity) {
  const ssl_ctx own = context(folder());
  one.apply(own.get());
  EXPECT_NO_THROW(handshake(folder(), own.get()));
}

TEST_F(CppContexts, HaveTheVersionsThatWereAskedFor) {
  client.max_version = tls_version::tls_1_2;
  const ssl_ctx_ptr context = one.make_ssl_ctx(client);
  EXPECT_EQ(TLS1_2_VERSION, SSL_CTX_get_max_proto_version(context.get()));
  EXPECT_NO_THROW(handshake(folder(), context.get()));
}

TEST_F(CppContexts, RefuseAPeerOfAnotherName) {
  client.server_name = "elsewhere.example";
  const ssl_ctx_ptr context = one.make_ssl_ctx(client);
  EXPECT_THROW(handshake(folder(), context.get()), std::runtime_error);
}

TEST_F(CppContexts, NeedAName) {
  client.server_name.clear();
  diagnostics problem;
  EXPECT_FALSE(one.make_ssl_ctx(client, problem));
  EXPECT_EQ(errc::bad_argument, problem.code());
  client.host_checked_by_caller = true;
  EXPECT_TRUE(one.make_ssl_ctx(client));
}

TEST_F(CppContexts, NeedTrustThatCanBeRead) {
  client.trust.file = "/nonexistent/ca.pem";
  EXPECT_THROW((void)one.make_ssl_ctx(client), error);
  diagnostics problem;
  EXPECT_FALSE(one.make_ssl_ctx(client, problem));
  EXPECT_EQ(errc::trust_unusable, problem.code());
}

TEST_F(CppContexts, ReloadTheirTrust) {
  const ssl_ctx_ptr context = one.make_ssl_ctx(client);
  reload_trust(context.get());
  std::filesystem::remove(made->file("ca.pem"));
  diagnostics problem;
  reload_trust(context.get(), problem);
  EXPECT_EQ(errc::trust_unusable, problem.code());
}

TEST_F(CppContexts, WithoutAnIdentityAreAskedForByName) {
  EXPECT_TRUE(make_ssl_ctx_without_identity(client));
  diagnostics problem;
  EXPECT_FALSE(identity().make_ssl_ctx(client, problem));
  EXPECT_EQ(errc::bad_argument, problem.code());
  EXPECT_STREQ("An argument or option is not valid.", problem.message());
}

TEST_F(CppContexts, MakeConnectionsThatAreExplained) {
  const ssl_ctx_ptr context = one.make_ssl_ctx(client);
  const ssl connection(SSL_new(context.get()));
  resume(connection.get());
  const std::string nonsense = "HTTP/1.0 400 Bad Request\r\n\r\n";
  SSL_set_bio(connection.get(),
              BIO_new_mem_buf(nonsense.data(), static_cast<int>(nonsense.size())),
              BIO_new(BIO_s_mem()));
  const int result = SSL_connect(connection.get());
  EXPECT_EQ(errc::not_tls, explain(connection.get(), result).code());
}

TEST_F(CppContexts, OfNobodyAreRefused) {
  diagnostics problem;
  one.apply(nullptr, problem);
  EXPECT_EQ(errc::bad_argument, problem.code());
  EXPECT_THROW(reload_trust(nullptr), error);
}

}  // namespace
}  // namespace hsmtls::test
