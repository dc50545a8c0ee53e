// Two vendors' modules at once, one of them a real one.
#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {
namespace {

TEST(StubAndSoftHsm, SignBesideEachOther) {
  if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
  const softhsm_token token;
  token.generate_ec_p256("device", "01");
  const module_under_test front = load_front(
      std::string(HSMTLS_TEST_STUB_VENDOR) + ":" + softhsm_module(), std::chrono::seconds(2));
  const client app(front);
  for (const auto& label : {std::string("stub-a"), token.label()}) {
    const CK_SESSION_HANDLE session = app.open(app.slot(label));
    ASSERT_RV(CKR_OK, app.login(session, "1234"));
    EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {1}), bytes(32, 7)));
  }
}

}  // namespace
}  // namespace hsmtls::test
