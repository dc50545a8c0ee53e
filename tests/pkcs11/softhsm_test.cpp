// Real SoftHSM under the module: resets, and a token folder that is moved away and back.
#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;

class SoftHsm : public over_softhsm {
 protected:
  explicit SoftHsm(milliseconds deadline = std::chrono::seconds(10))
      : over_softhsm(deadline), app(front), session(app.open(app.slot("edge"))) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, {0x01});
  }

  CK_RV sign() { return app.sign(session, key, bytes(32, 0x5a)); }

  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
};

class SoftHsmPulledOut : public SoftHsm {
 protected:
  SoftHsmPulledOut() : SoftHsm(milliseconds(300)) {}
};

TEST_F(SoftHsm, SignsAgainAfterAReset) {
  ASSERT_RV(CKR_OK, sign());
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, sign());
}

TEST_F(SoftHsm, SignsThroughResetsAtEveryStep) {
  for (const std::string step : {"C_SignInit",
                                 "C_Sign",
                                 "C_OpenSession",
                                 "C_Login",
                                 "C_FindObjectsInit",
                                 "C_FindObjects",
                                 "C_GetAttributeValue",
                                 "C_GetTokenInfo"}) {
    trouble.run("drop-sessions; drop-sessions-at " + step + " 1");
    EXPECT_RV(CKR_OK, sign()) << "reset at " << step;
  }
}

TEST_F(SoftHsmPulledOut, SignsAgainAtOnceWhenItIsBack) {
  ASSERT_RV(CKR_OK, sign());
  for (int i = 0; i < 3; ++i) {
    token.move_away();
    EXPECT_RV(CKR_DEVICE_REMOVED, sign());
    EXPECT_RV(CKR_DEVICE_REMOVED, sign());
    token.move_back();
    EXPECT_RV(CKR_OK, sign());
  }
}

TEST_F(SoftHsm, SignsAgainWhenItWasAwayBetweenTwoSignatures) {
  ASSERT_RV(CKR_OK, sign());
  token.move_away();
  token.move_back();
  EXPECT_RV(CKR_OK, sign());
}

TEST_F(SoftHsmPulledOut, TellsAgainWhatTokenItIsAfterItIsBack) {
  ASSERT_RV(CKR_OK, sign());
  const CK_SLOT_ID slot = app.slot("edge");
  token.move_away();
  EXPECT_RV(CKR_DEVICE_REMOVED, sign());
  token.move_back();
  CK_TOKEN_INFO info{};
  EXPECT_RV(CKR_OK, app.p11.C_GetTokenInfo(slot, &info));
  EXPECT_EQ("edge", pkcs11::unpadded(info.label));
  EXPECT_EQ(slot, app.slot("edge"));
}

}  // namespace
}  // namespace hsmtls::test
