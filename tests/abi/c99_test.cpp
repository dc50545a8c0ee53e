// The C face from plain C99.
#include <gtest/gtest.h>

#include "tests/support/device.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

TEST(C99Program, OpensAnIdentityAndUsesTheRestOfTheFace) {
  if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
  const device one;
  const ending ended = run_program({HSMTLS_TEST_C99_PROGRAM,
                                    device::uri("ec"),
                                    one.file("ec.pem"),
                                    one.token().folder(),
                                    softhsm_module()});
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_NE(std::string::npos, ended.output.find("OpenSSL 3.")) << ended;
  EXPECT_TRUE(std::filesystem::exists(one.file("key.pem")));
  EXPECT_TRUE(std::filesystem::exists(one.file("certificate.pem")));
}

}  // namespace
}  // namespace hsmtls::test
