// CPython as the host, with its own ssl module.
#include "tests/hosts/hosts.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

class PythonHost : public Hosts {
 protected:
  void SetUp() override {
    SKIP_IN_FOREIGN_PROGRAMS();
    Hosts::SetUp();
  }
  [[nodiscard]] ending python(const std::string& when,
                              const std::vector<std::string>& before = {}) const {
    return run({HSMTLS_TEST_PYTHON,
                HSMTLS_TEST_HOSTS "/python/host.py",
                HSMTLS_TEST_LIBRARY,
                folder(),
                when},
               before);
  }
};

TEST_F(PythonHost, LendsTheOpenSslOfItsSslModule) {
  expect_own(python("before"));
}
TEST_F(PythonHost, SharesTheOpenSslThatWasFoundBeforeItsSslModule) {
  expect_own(python("after"));
}
TEST_F(PythonHost, NeedsNoSslModule) {
  const ending host = python("never");
  EXPECT_TRUE(host.fine()) << host;
  EXPECT_THAT(said(host, "where"), HasSubstr("/libssl.so.3)")) << host;
}
TEST_F(PythonHost, LendsItsOpenSslThoughAnotherIsLoadedLater) {
  for (const char* how : {"global", "local"}) {
    const ending host = python("first", other_openssl(how));
    expect_own(host);
    EXPECT_THAT(said(host, "own"), HasSubstr("/libssl.so.3")) << host;
  }
}
TEST_F(PythonHost, LendsItsOpenSslThoughAnotherIsLoadedLocallyBefore) {
  const ending host = python("before", other_openssl("local"));
  expect_own(host);
  EXPECT_THAT(said(host, "own"), HasSubstr("/libssl.so.3")) << host;
}
// The loader gives the ssl module the functions of the copy that is global by then.
TEST_F(PythonHost, LendsTheCopyThatWasLoadedGloballyBeforeItsSslModule) {
  const ending host = python("before", other_openssl("global"));
  expect_own(host);
  EXPECT_THAT(said(host, "own"), HasSubstr("/libssl.oo.3")) << host;
}
TEST_F(PythonHost, LendsItsLibsslOverTheLibcryptoThatWasLoadedGloballyBeforeIt) {
  const ending host = python("before", {other_openssl("global").front()});
  expect_own(host);
  EXPECT_THAT(said(host, "own"), HasSubstr("/libssl.so.3")) << host;
  EXPECT_THAT(said(host, "where"), HasSubstr("/libcrypto.oo.3")) << host;
}
TEST_F(PythonHost, IsRefusedWhereHsmtlsFoundAnotherCopyFirst) {
  const ending host = python("after", other_openssl("local"));
  EXPECT_EQ(1, host.exit_status) << host;
  EXPECT_THAT(said(host, "failed"), HasSubstr("libcrypto.oo.3")) << host;
  EXPECT_THAT(said(host, "failed"), HasSubstr("libcrypto.so.3")) << host;
}

}  // namespace
}  // namespace hsmtls::test
