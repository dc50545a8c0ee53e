// A release function that came with a callback is called once, whatever becomes of the call.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/answer.hpp"
#include "tests/support/device.hpp"

namespace hsmtls::test {
namespace {

class ReleaseFunctions : public testing::Test {
 protected:
  ReleaseFunctions() {
    options.struct_size = sizeof options;
    options.key = "pkcs11:token=edge;object=ec";
    options.flags = HSMTLS_OPEN_WITHOUT_CERTIFICATE;
    options.on_event = [](void*, const hsmtls_event*) {};
    options.event_user = &released;
    options.event_release = [](void* user) { ++*static_cast<std::atomic<int>*>(user); };
  }
  void use_softhsm() {
    one.emplace();
    pin_source = one->pin_source();
    login.struct_size = sizeof login;
    login.pin_source = pin_source.c_str();
    options.module = module.c_str();
    options.login = &login;
  }

  hsmtls_identity* open(const std::string& expected) {
    hsmtls_identity* identity = nullptr;
    EXPECT_EQ(expected, asked(hsmtls_identity_open, &options, &identity).name());
    return identity;
  }

  std::optional<device> one;
  std::string module = softhsm_module();
  std::string pin_source;
  hsmtls_login login{};
  hsmtls_identity_options options{};
  std::atomic<int> released{0};
};

TEST_F(ReleaseFunctions, AreCalledWhenOpeningFails) {
  options.module = "/nonexistent/vendor.so";
  open("MODULE_UNUSABLE");
  EXPECT_EQ(1, released);
}

TEST_F(ReleaseFunctions, AreCalledWhenAnArgumentIsWrong) {
  options.flags = ~0U;
  open("BAD_ARGUMENT");
  EXPECT_EQ(1, released);
  options.key = nullptr;
  options.flags = 0;
  open("BAD_ARGUMENT");
  EXPECT_EQ(2, released);
  EXPECT_EQ(asked(hsmtls_identity_open, &options, nullptr), HSMTLS_BAD_ARGUMENT);
  EXPECT_EQ(3, released);
  struct {
    hsmtls_identity_options known;
    uint64_t unknown;
  } newer{options, 1};
  newer.known.struct_size = sizeof newer;
  hsmtls_identity* identity = nullptr;
  EXPECT_EQ(asked(hsmtls_identity_open, &newer.known, &identity), HSMTLS_BAD_ARGUMENT);
  EXPECT_EQ(4, released);
}

TEST_F(ReleaseFunctions, AreCalledOnceWhenTheIdentityIsClosed) {
  if (module.empty()) GTEST_SKIP() << "SoftHSM is not installed";
  use_softhsm();
  hsmtls_identity* const identity = open("OK");
  ASSERT_NE(nullptr, identity);
  hsmtls_identity_retain(identity);
  EXPECT_EQ(0, released);
  hsmtls_identity_close(identity);
  EXPECT_EQ(1, released) << "although others still have the identity";
  hsmtls_identity_close(identity);
  hsmtls_identity_release(identity);
  hsmtls_identity_release(identity);
  EXPECT_EQ(1, released);
}

TEST_F(ReleaseFunctions, AreCalledOnceWhenTheLastReferenceGoes) {
  if (module.empty()) GTEST_SKIP() << "SoftHSM is not installed";
  use_softhsm();
  hsmtls_identity* const identity = open("OK");
  ASSERT_NE(nullptr, identity);
  hsmtls_identity_retain(identity);
  hsmtls_identity_release(identity);
  EXPECT_EQ(0, released);
  hsmtls_identity_release(identity);
  EXPECT_EQ(1, released);
}

TEST_F(ReleaseFunctions, AreCalledOnceWhenManyThreadsClose) {
  if (module.empty()) GTEST_SKIP() << "SoftHSM is not installed";
  use_softhsm();
  for (int round = 1; round <= 20; ++round) {
    hsmtls_identity* const identity = open("OK");
    ASSERT_NE(nullptr, identity);
    std::vector<std::thread> closing;
    for (int i = 0; i < 4; ++i) closing.emplace_back([&] { hsmtls_identity_close(identity); });
    for (std::thread& each : closing) each.join();
    EXPECT_EQ(round, released);
    hsmtls_identity_release(identity);
  }
  EXPECT_EQ(20, released);
}

}  // namespace
}  // namespace hsmtls::test
