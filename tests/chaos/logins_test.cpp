// lock-pin, pin-flags, pin-pad, always-authenticate, and the counts of PIN outcomes.
#include "fixture.hpp"

namespace hsmtls::test {
namespace {

class Logins : public chaos_over_stub {
 protected:
  void SetUp() override {
    chaos_over_stub::SetUp();
    ASSERT_EQ(call->C_Logout(session), CKR_OK);
    control.run("reset");
  }

  CK_FLAGS token_flags() {
    CK_TOKEN_INFO info;
    EXPECT_EQ(call->C_GetTokenInfo(0, &info), CKR_OK);
    return info.flags;
  }

  CK_RV context_login(const std::string& pin) {
    return login(call, session, pin, CKU_CONTEXT_SPECIFIC);
  }
};

TEST_F(Logins, AreRefusedWithoutTheVendorWhileThePinIsLocked) {
  control.run("lock-pin");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(login(call, session, "wrong"), CKR_PIN_LOCKED);
  EXPECT_TRUE(token_flags() & CKF_USER_PIN_LOCKED);
  control.run("unlock-pin");
  EXPECT_FALSE(token_flags() & (CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW));
  EXPECT_EQ(login(call, session, "1234"), CKR_OK);
}

TEST_F(Logins, AreLeftToTheSecurityOfficerWhileThePinIsLocked) {
  control.run("lock-pin");
  EXPECT_EQ(login(call, session, "so1234", CKU_SO), CKR_OK);
}

TEST_F(Logins, AreRefusedThroughLoginUserToo) {
  control.run("lock-pin");
  CK_CHAR pin[] = "1234";
  EXPECT_EQ(module.functions_3_0()->C_LoginUser(session, CKU_USER, pin, 4, nullptr, 0),
            CKR_PIN_LOCKED);
}

TEST_F(Logins, AreCountedByOutcome) {
  EXPECT_EQ(login(call, session, "wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(login(call, session, "wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(login(call, session, "1234"), CKR_OK);
  EXPECT_EQ(login(call, session, "1234"), CKR_USER_ALREADY_LOGGED_IN);
  EXPECT_EQ(control.count("C_Login"), 4U);
  EXPECT_EQ(control.count("C_Login CKR_PIN_INCORRECT"), 2U);
  EXPECT_EQ(control.count("C_Login CKR_OK"), 1U);
  EXPECT_EQ(control.count("C_Login 0x100"), 1U);
  EXPECT_EQ(control.count("C_Login CKR_PIN_LOCKED"), 0U);
}

TEST_F(Logins, ShowPinFlags) {
  control.run("pin-flags count-low final-try");
  EXPECT_EQ(token_flags() & 0xf0000, CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
  control.run("pin-flags to-be-changed");
  EXPECT_EQ(token_flags() & 0xf0000, CKF_USER_PIN_TO_BE_CHANGED);
  control.run("pin-flags locked");
  EXPECT_EQ(token_flags() & 0xf0000, CKF_USER_PIN_LOCKED);
  control.run("pin-flags none");
  EXPECT_EQ(token_flags() & 0xf0000, 0U);
  EXPECT_EQ(login(call, session, "1234"), CKR_OK);
}

TEST_F(Logins, TakeThePinFromThePad) {
  EXPECT_FALSE(token_flags() & CKF_PROTECTED_AUTHENTICATION_PATH);
  control.run("pin-pad pin=1234");
  EXPECT_TRUE(token_flags() & CKF_PROTECTED_AUTHENTICATION_PATH);
  EXPECT_EQ(call->C_Login(session, CKU_USER, nullptr, 0), CKR_OK);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  EXPECT_EQ(sign(), CKR_OK);
  control.run("pin-pad off");
  EXPECT_FALSE(token_flags() & CKF_PROTECTED_AUTHENTICATION_PATH);
}

TEST_F(Logins, AreCanceledWhenNobodyIsAtThePad) {
  control.run("pin-pad");
  EXPECT_EQ(call->C_Login(session, CKU_USER, nullptr, 0), CKR_FUNCTION_CANCELED);
  control.run("pin-pad pin=4321");
  EXPECT_EQ(call->C_Login(session, CKU_USER, nullptr, 0), CKR_PIN_INCORRECT);
}

TEST_F(Logins, AreWantedForEachSignatureOfAnAlwaysAuthenticateKey) {
  control.run("always-authenticate pin=1234");
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  EXPECT_EQ(sign(), CKR_USER_NOT_LOGGED_IN);
  for (int i = 0; i < 2; ++i) {
    // The refused C_Sign ended its operation, as the good one does.
    EXPECT_EQ(sign_init(), CKR_OK);
    EXPECT_EQ(context_login("1234"), CKR_OK);
    EXPECT_EQ(sign_final_step(), CKR_OK);
    EXPECT_EQ(signature, expected_signature());
  }
  EXPECT_EQ(context_login("1234"), CKR_OPERATION_NOT_INITIALIZED);
  EXPECT_EQ(sign(), CKR_USER_NOT_LOGGED_IN);
  control.run("always-authenticate off");
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Logins, CheckTheContextPin) {
  control.run("always-authenticate pin=1234");
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  EXPECT_EQ(sign_init(), CKR_OK);
  EXPECT_EQ(context_login("wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(context_login("1234"), CKR_OK);
  EXPECT_EQ(sign_final_step(), CKR_OK);
  control.run("always-authenticate");
  EXPECT_EQ(sign_init(), CKR_OK);
  EXPECT_EQ(context_login("anything"), CKR_OK);
  EXPECT_EQ(sign_final_step(), CKR_OK);
}

TEST_F(Logins, AreWantedForMultiPartSignaturesToo) {
  control.run("always-authenticate");
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  signature.resize(64);
  CK_ULONG len = signature.size();
  EXPECT_EQ(sign_init(), CKR_OK);
  EXPECT_EQ(call->C_SignUpdate(session, data.data(), data.size()), CKR_USER_NOT_LOGGED_IN);
  EXPECT_EQ(sign_init(), CKR_OK);
  EXPECT_EQ(context_login(""), CKR_OK);
  EXPECT_EQ(call->C_SignUpdate(session, data.data(), data.size()), CKR_OK);
  EXPECT_EQ(call->C_SignFinal(session, signature.data(), &len), CKR_OK);
  EXPECT_EQ(signature, expected_signature());
}

TEST_F(Logins, LetTheSizeOfASignatureBeAskedFirst) {
  control.run("always-authenticate");
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  EXPECT_EQ(sign_init(), CKR_OK);
  EXPECT_EQ(context_login(""), CKR_OK);
  CK_ULONG len = 0;
  EXPECT_EQ(call->C_Sign(session, data.data(), data.size(), nullptr, &len), CKR_OK);
  EXPECT_EQ(len, 64U);
  EXPECT_EQ(sign_final_step(), CKR_OK);
}

TEST_F(Logins, AreAnnouncedByTheKeysAttribute) {
  control.run("always-authenticate");
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  CK_BBOOL always = CK_FALSE;
  CK_BYTE label[32];
  CK_ATTRIBUTE asked[] = {{CKA_LABEL, label, sizeof label},
                          {CKA_ALWAYS_AUTHENTICATE, &always, sizeof always},
                          {CKA_EC_POINT, nullptr, 0}};
  EXPECT_EQ(call->C_GetAttributeValue(session, key, asked, 3), CKR_ATTRIBUTE_TYPE_INVALID);
  EXPECT_EQ(always, CK_TRUE);
  EXPECT_EQ(asked[0].ulValueLen, 6U);
  EXPECT_EQ(asked[1].ulValueLen, 1U);
  EXPECT_EQ(asked[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_THAT(read(call, session, key, CKA_ALWAYS_AUTHENTICATE), testing::ElementsAre(CK_TRUE));
  EXPECT_THAT(read(call, session, find(call, session, CKO_PUBLIC_KEY, 1), CKA_ALWAYS_AUTHENTICATE),
              testing::IsEmpty());
}

}  // namespace
}  // namespace hsmtls::test
