// Programs in C and C++ as hosts: the OpenSSL that they are linked with is the one that hsmtls uses,
// whatever else was loaded.
#include <fstream>

#include "tests/hosts/hosts.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;
using testing::Not;

using LinkedHosts = Hosts;

const std::vector<std::string> nothing;

TEST_F(LinkedHosts, LendTheirOpenSsl) {
  expect_own(run({HSMTLS_TEST_LINKED_HOST, folder()}));
}
TEST_F(LinkedHosts, LendTheirOpenSslThoughAnotherIsLoadedGlobally) {
  expect_own(run({HSMTLS_TEST_LINKED_HOST, folder()}, other_openssl("global")));
}
TEST_F(LinkedHosts, LendTheirOpenSslThoughAnotherIsLoadedLocally) {
  expect_own(run({HSMTLS_TEST_LINKED_HOST, folder()}, other_openssl("local")));
}
TEST_F(LinkedHosts, LendTheirOpenSslThoughAnotherIsLoadedThatKeepsToItself) {
  SKIP_IN_FOREIGN_PROGRAMS();
  expect_own(run({HSMTLS_TEST_LINKED_HOST, folder()}, other_openssl("deep")));
}
TEST_F(LinkedHosts, LendTheirOpenSslWithoutBeingPositionIndependent) {
  expect_own(run({HSMTLS_TEST_NON_PIE_HOST, folder()}));
  expect_own(run({HSMTLS_TEST_NON_PIE_HOST, folder()}, other_openssl("global")));
}
TEST_F(LinkedHosts, OfAnotherCopyLendThat) {
  SKIP_IN_FOREIGN_PROGRAMS();
  const ending host = run({HSMTLS_TEST_OTHER_HOST, folder()});
  expect_own(host);
  EXPECT_THAT(said(host, "where"), HasSubstr("libssl.oo.3")) << host;
}
TEST_F(LinkedHosts, OfAnotherCopyLendThatThoughTheSystemsIsLoadedGlobally) {
  SKIP_IN_FOREIGN_PROGRAMS();
  const ending host = run({HSMTLS_TEST_OTHER_HOST, folder(), "global:libssl.so.3"});
  expect_own(host);
  EXPECT_THAT(said(host, "where"), HasSubstr("libssl.oo.3")) << host;
}

TEST_F(LinkedHosts, ThatLoadHsmtlsLendTheirOpenSsl) {
  for (const auto& before : {nothing, other_openssl("global"), other_openssl("local")}) {
    expect_own(run({HSMTLS_TEST_LOADING_HOST, folder(), HSMTLS_TEST_LIBRARY}, before));
  }
}

TEST_F(LinkedHosts, ThatPassWhatIsOfAnotherCopyAreRefused) {
  SKIP_IN_FOREIGN_PROGRAMS();
  const ending host = run({HSMTLS_TEST_FOREIGN_HOST, folder()}, other_openssl("deep"));
  EXPECT_TRUE(host.fine()) << host;
  for (const char* what : {"bind", "halves", "context", "applied"}) {
    EXPECT_THAT(said(host, what), HasSubstr("OPENSSL_FOREIGN")) << host;
    EXPECT_THAT(said(host, what), HasSubstr("oo.3")) << host;
  }
}

TEST_F(LinkedHosts, WithHiddenOpenSslAreTold) {
  if (std::string_view(HSMTLS_TEST_HIDING_HOST).empty())
    GTEST_SKIP() << "OpenSSL's static libraries are not installed";
  const ending host = run({HSMTLS_TEST_HIDING_HOST, folder()});
  EXPECT_EQ(1, host.exit_status) << host;
  EXPECT_THAT(said(host, "failed"), HasSubstr("the main program cannot be used")) << host;
  EXPECT_THAT(said(host, "failed"), HasSubstr("hidden")) << host;
}

TEST_F(LinkedHosts, MayHaveTheProviderConfiguredToo) {
  const std::string configuration = made->file("openssl.cnf");
  std::ofstream(configuration)
      << "openssl_conf = init\n[init]\nproviders = providers\n"
         "[providers]\ndefault = of_openssl\nhsmtls = of_hsmtls\n[of_openssl]\nactivate = 1\n"
         "[of_hsmtls]\nactivate = 1\nmodule = " HSMTLS_TEST_PROVIDER "\n";
  const ending host =
      run({HSMTLS_TEST_CONFIGURED_HOST, folder()}, {}, {{"OPENSSL_CONF", configuration}});
  EXPECT_TRUE(host.fine()) << host;
  EXPECT_THAT(said(host, "where"), HasSubstr("libssl.so.3")) << host;
}

class SearchingHosts : public Hosts {
 protected:
  void SetUp() override {}  // no token is needed

  static ending search(const std::vector<std::string>& before) {
    std::vector<std::string> command{HSMTLS_TEST_SEARCHING_HOST};
    command.insert(command.end(), before.begin(), before.end());
    ending host = run_program(command);
    EXPECT_TRUE(host.fine()) << host;
    return host;
  }
  static std::vector<std::string> both(std::vector<std::string> some,
                                       const std::vector<std::string>& others) {
    some.insert(some.end(), others.begin(), others.end());
    return some;
  }
};

TEST_F(SearchingHosts, WithoutOpenSslGetTheSystems) {
  EXPECT_THAT(said(search({}), "where"), HasSubstr("/libssl.so.3)"));
}

TEST_F(SearchingHosts, WithOneCopyGetThat) {
  for (const char* how : {"local", "global"}) {
    const ending host = search(other_openssl(how));
    EXPECT_THAT(said(host, "where"), HasSubstr("libcrypto.oo.3")) << host;
    EXPECT_THAT(said(host, "where"), HasSubstr("libssl.oo.3")) << host;
  }
}

TEST_F(SearchingHosts, WithLibcryptoAloneGetTheSystemsLibsslWithIt) {
  EXPECT_THAT(said(search({"local:libcrypto.so.3"}), "where"), HasSubstr("/libssl.so.3)"));
}

// Then that is the one that the system's libssl calls.
TEST_F(SearchingHosts, WithAGlobalLibcryptoOfAnotherNameGetTheSystemsLibsslOverIt) {
  const ending host = search({other_openssl("global").front()});
  EXPECT_THAT(said(host, "where"), HasSubstr("/libcrypto.oo.3, ")) << host;
  EXPECT_THAT(said(host, "where"), HasSubstr("/libssl.so.3)")) << host;
}

TEST_F(SearchingHosts, WithTwoCopiesAreToldBoth) {
  const ending host = search(both({"local:libssl.so.3"}, other_openssl("local")));
  EXPECT_EQ("", said(host, "where")) << host;
  const std::string problem = said(host, "OPENSSL_AMBIGUOUS");
  EXPECT_THAT(problem, HasSubstr("/libssl.so.3")) << host;
  EXPECT_THAT(problem, HasSubstr("/libssl.oo.3")) << host;
  EXPECT_THAT(problem, HasSubstr("hsmtls_openssl_bind")) << host;
}

TEST_F(SearchingHosts, WithAnOldOpenSslAreToldItsVersion) {
  const ending host = search({"local:" HSMTLS_TEST_FAKE_OLD});
  EXPECT_THAT(said(host, "OPENSSL_UNUSABLE"), HasSubstr("OpenSSL 1.1.1w")) << host;
  EXPECT_THAT(said(host, "OPENSSL_UNUSABLE"), HasSubstr(HSMTLS_TEST_FAKE_OLD)) << host;
}

TEST_F(SearchingHosts, WithBoringSslAreToldThat) {
  const ending host = search({"local:" HSMTLS_TEST_FAKE_BORINGSSL});
  EXPECT_THAT(said(host, "OPENSSL_UNUSABLE"), HasSubstr("BoringSSL")) << host;
  EXPECT_THAT(said(host, "OPENSSL_UNUSABLE"), HasSubstr(HSMTLS_TEST_FAKE_BORINGSSL)) << host;
}

TEST_F(SearchingHosts, WithAnOpenSslThatHidesAreToldWhichOne) {
  const ending host = search({"global:" HSMTLS_TEST_FAKE_HIDDEN});
  EXPECT_THAT(said(host, "OPENSSL_UNUSABLE"), HasSubstr(HSMTLS_TEST_FAKE_HIDDEN)) << host;
  EXPECT_THAT(host.output, Not(HasSubstr("libssl.so.3"))) << host;
}

}  // namespace
}  // namespace hsmtls::test
