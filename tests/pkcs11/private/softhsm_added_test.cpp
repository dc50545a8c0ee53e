// SoftHSM as a module that is added: what holds for configured modules holds for it.
#include "tests/pkcs11/private/face.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

// SoftHSM brings libcrypto along, whose exit handlers come with its first calls: long after ours.
class ExitWithAnAddedSoftHsm : public testing::Test {
 protected:
  ExitWithAnAddedSoftHsm() { token.generate_ec_p256("device", "01"); }

  [[nodiscard]] ending leave(const std::string& module,
                             std::vector<std::string> more = {},
                             std::map<std::string, std::string> environment = {}) const {
    environment["HSMTLS_MODULE"] = HSMTLS_TEST_STUB_VENDOR;
    std::vector<std::string> arguments = {HSMTLS_TEST_ADD_AND_EXIT,
                                          HSMTLS_TEST_FRONT,
                                          module,
                                          "pkcs11:token=" + token.label(),
                                          token.user_pin()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, environment);
  }

  softhsm_token token;
};

TEST_F(ExitWithAnAddedSoftHsm, MainReturnsWhileThreadsSign) {
  for (int i = 0; i < 5; ++i) {
    const ending end = leave(softhsm_module());
    EXPECT_TRUE(end.fine()) << end;
  }
}

TEST_F(ExitWithAnAddedSoftHsm, MainReturnsWhileASignatureHangs) {
  const ending end =
      leave(HSMTLS_TEST_CHAOS,
            {"hang"},
            {{"HSMTLS_CHAOS_MODULE", softhsm_module()}, {"HSMTLS_CHAOS", "hang C_Sign 1"}});
  EXPECT_TRUE(end.fine()) << end;
  EXPECT_LT(end.took, std::chrono::seconds(10));
}

class AddedSoftHsm : public testing::Test {
 protected:
  AddedSoftHsm() : front(load_front("", std::chrono::seconds(10))), face(front) {
    token.generate_ec_p256("device", "01");
    EXPECT_EQ(face.add_module(softhsm_module()), HSMTLS_P11_OK);
    EXPECT_EQ(face.open("pkcs11:token=" + token.label(), key, with_pin(token.user_pin())),
              HSMTLS_P11_OK);
  }

  softhsm_token token;
  module_under_test front;
  private_face face;
  private_key key;
};

TEST_F(AddedSoftHsm, SignsInTheParentAndInItsChildren) {
  const bytes data(32, 7);
  EXPECT_EQ(key.sign(data), HSMTLS_P11_OK);
  for (int i = 0; i < 3; ++i) {
    child forked([&] {
      return expectations([&] {
        EXPECT_EQ(key.sign(data), HSMTLS_P11_OK);
        key.release();
      });
    });
    EXPECT_EQ(key.sign(data), HSMTLS_P11_OK);
    const ending end = forked.wait();
    EXPECT_TRUE(end.fine()) << end;
  }
}

TEST_F(AddedSoftHsm, SignsAgainAfterItsTokenWasPulledOut) {
  token.move_away();
  EXPECT_EQ(key.sign(bytes(32, 7), nullptr, ecdsa, 100), HSMTLS_P11_TOKEN_LOST);
  token.move_back();
  EXPECT_EQ(key.sign(bytes(32, 7)), HSMTLS_P11_OK);
}

}  // namespace
}  // namespace hsmtls::test
