// .NET as the host: hybrid keys in SslStream.
#include "tests/hosts/hosts.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

class DotnetHost : public Hosts {
 protected:
  void SetUp() override {
    SKIP_IN_FOREIGN_PROGRAMS();
    if (std::string_view(HSMTLS_TEST_DOTNET_HOST).empty())
      GTEST_SKIP() << "the .NET 10 SDK is not installed";
    Hosts::SetUp();
  }
  void expect_runs(const std::string& when) const {
    const ending host =
        run({HSMTLS_TEST_DOTNET, HSMTLS_TEST_DOTNET_HOST, HSMTLS_TEST_LIBRARY, folder(), when});
    EXPECT_TRUE(host.fine()) << host;
    EXPECT_THAT(said(host, "where"), HasSubstr("/libssl.so.3)")) << host;
  }
};

TEST_F(DotnetHost, TakesHybridKeysBeforeAnySslStreamWasUsed) {
  expect_runs("before");
}
TEST_F(DotnetHost, TakesHybridKeysAfterAnSslStreamWasUsed) {
  expect_runs("after");
}

}  // namespace
}  // namespace hsmtls::test
