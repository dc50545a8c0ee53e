// A live key survives the token: what an application sees when sessions, login and handles are
// gone.
#include <chrono>

#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;

class Recovery : public over_stub {
 protected:
  explicit Recovery(milliseconds deadline = std::chrono::seconds(10))
      : over_stub(deadline), app(front), session(app.open(app.slot("stub-a"))) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, id);
    wanted = expected_signature(app, session, id, data);
  }

  void expect_right_signature() {
    bytes signature;
    ASSERT_RV(CKR_OK, app.sign(session, key, data, &signature));
    EXPECT_EQ(wanted, signature);
  }

  const bytes id{0x01};
  const bytes data = "what is signed"_b;
  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
  bytes wanted;
};

TEST_F(Recovery, SignsAgainAfterTheTokenDroppedItsSessions) {
  expect_right_signature();
  trouble.run("drop-sessions");
  expect_right_signature();
  EXPECT_EQ(1U, log.count("lost"));
  EXPECT_EQ(1U, log.count("restored"));
}

TEST_F(Recovery, SignsWithAKeyThatWasFoundButNotUsedBeforeTheLoss) {
  trouble.run("drop-sessions");
  expect_right_signature();
}

TEST_F(Recovery, RepeatsTheSignatureWhenTheTokenIsLostBetweenInitAndSign) {
  expect_right_signature();
  trouble.run("drop-sessions-at C_Sign 1");
  expect_right_signature();
}

TEST_F(Recovery, RepeatsTheSignatureAlsoWhenAnotherCallFindsTheLossAfterInit) {
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  CK_ATTRIBUTE label{CKA_LABEL, nullptr, 0};
  for (const bool same_session : {true, false}) {
    const CK_SESSION_HANDLE finds_out = same_session ? session : app.open(app.slot("stub-a"));
    ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
    trouble.run("drop-sessions");
    ASSERT_RV(CKR_OK, app.p11.C_GetAttributeValue(finds_out, key, &label, 1));
    bytes signature(64);
    CK_ULONG length = signature.size();
    bytes in = data;
    EXPECT_RV(CKR_OK, app.p11.C_Sign(session, in.data(), in.size(), signature.data(), &length));
    signature.resize(length);
    EXPECT_EQ(wanted, signature);
  }
}

TEST_F(Recovery, BeginsAMultiPartSignatureAgainAsLongAsNothingWentIntoIt) {
  CK_MECHANISM mechanism{CKM_ECDSA_SHA256, nullptr, 0};
  CK_ATTRIBUTE label{CKA_LABEL, nullptr, 0};
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
  trouble.run("drop-sessions");
  ASSERT_RV(CKR_OK, app.p11.C_GetAttributeValue(session, key, &label, 1));
  bytes part = "part"_b;
  EXPECT_RV(CKR_OK, app.p11.C_SignUpdate(session, part.data(), part.size()));
  bytes signature(64);
  CK_ULONG length = signature.size();
  EXPECT_RV(CKR_OK, app.p11.C_SignFinal(session, signature.data(), &length));
}

TEST_F(Recovery, FindsAPrivateKeyThatAloneWasRenamed) {
  const CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  bytes new_id{0x77};
  CK_ATTRIBUTE change{CKA_ID, new_id.data(), new_id.size()};
  ASSERT_RV(CKR_OK, app.p11.C_SetAttributeValue(writable, key, &change, 1));
  trouble.run("drop-sessions");
  expect_right_signature();
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
}

TEST_F(Recovery, TakesNoSessionObjectAwayBecauseOfARefusal) {
  const CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  CK_BBOOL no = CK_FALSE;
  bytes p256{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  CK_ATTRIBUTE public_half[] = {{CKA_TOKEN, &no, sizeof no},
                                {CKA_EC_PARAMS, p256.data(), p256.size()}};
  CK_ATTRIBUTE private_half[] = {{CKA_TOKEN, &no, sizeof no}};
  CK_MECHANISM make{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE made[2];
  ASSERT_RV(CKR_OK,
            app.p11.C_GenerateKeyPair(
                writable, &make, public_half, 2, private_half, 1, &made[0], &made[1]));
  trouble.run("fail C_SignInit 1 CKR_KEY_HANDLE_INVALID");
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.sign(writable, made[1], data));
  EXPECT_RV(CKR_OK, app.sign(writable, made[1], data));
}

TEST_F(Recovery, SurvivesASecondAndAThirdResetDuringTheRecovery) {
  expect_right_signature();
  trouble.run(
      "drop-sessions; drop-sessions-at C_FindObjects 1; drop-sessions-at C_SignInit 1; "
      "drop-sessions-at C_Sign 1");
  expect_right_signature();
}

TEST_F(Recovery, SurvivesAResetDuringLogin) {
  expect_right_signature();
  trouble.run("drop-sessions; drop-sessions-at C_Login 1");
  expect_right_signature();
}

TEST_F(Recovery, FinalisesAndInitialisesTheModuleWhenNewSessionsDoNotHelp) {
  expect_right_signature();
  trouble.run("remove-token; return-token needs-reinit");
  const auto initialised = trouble.count("C_Initialize");
  expect_right_signature();
  EXPECT_LT(initialised, trouble.count("C_Initialize"));
}

TEST_F(Recovery, CostsNoExtraCallWhileNothingIsLost) {
  expect_right_signature();
  const auto before = trouble.total();
  expect_right_signature();
  EXPECT_EQ(before + 2, trouble.total()) << "C_SignInit and C_Sign";
}

TEST_F(Recovery, KeepsTheApplicationsHandles) {
  trouble.run("drop-sessions");
  EXPECT_EQ(key, app.private_key(session, id));
}

TEST_F(Recovery, GivesAClearErrorWithinTheDeadlineWhileTheTokenIsAway) {
  expect_right_signature();
  trouble.run("remove-token");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_RV(CKR_DEVICE_REMOVED, app.sign(session, key, data));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LE(milliseconds(9'000), took) << "it gave up early";
  EXPECT_GT(milliseconds(20'000), took);
  trouble.run("return-token");
  expect_right_signature();
}

class RecoveryByDefault : public Recovery {
 protected:
  RecoveryByDefault() : Recovery(default_deadline) {}
};

TEST_F(RecoveryByDefault, TriesForTwoSecondsBeforeItSaysThatTheTokenIsAway) {
  expect_right_signature();
  trouble.run("remove-token");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_RV(CKR_DEVICE_REMOVED, app.sign(session, key, data));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LE(milliseconds(1500), took) << "it gave up early";
  EXPECT_GT(milliseconds(7000), took) << "that is not the default of HSMTLS_DEADLINE_MS";
  EXPECT_LT(2U, log.count("still-lost")) << "it did not try";
  trouble.run("return-token");
  expect_right_signature();
}

TEST_F(Recovery, RefusesAnotherTokenInTheSameSlot) {
  expect_right_signature();
  trouble.run("remove-token; return-token serial=9999");
  const auto logins = trouble.count("C_Login");
  EXPECT_RV(CKR_DEVICE_REMOVED, app.sign(session, key, data));
  EXPECT_EQ(logins, trouble.count("C_Login")) << "the PIN went to another token";
  EXPECT_EQ(1U, log.count("token_replaced"));
}

TEST_F(Recovery, RefusesAnotherKeyOfTheSameName) {
  expect_right_signature();
  trouble.run("replace-key 01 pin=1234");
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.sign(session, key, data));
  EXPECT_EQ(1U, log.count("key_replaced"));
}

TEST_F(Recovery, RefusesAnotherKeyOfTheSameNameInATokenThatWasAway) {
  expect_right_signature();
  trouble.run("remove-token; replace-key 01 pin=1234 slot=0; return-token");
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.sign(session, key, data));
  EXPECT_EQ(1U, log.count("key_replaced"));
}

TEST_F(Recovery, RefusesAnotherKeyOfTheSameNameAlsoWhileASearchIsOpen) {
  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, nullptr, 0));
  CK_OBJECT_HANDLE found = 0;
  CK_ULONG count = 0;
  ASSERT_RV(CKR_OK, app.p11.C_FindObjects(session, &found, 1, &count));
  expect_right_signature();
  trouble.run("replace-key 01 pin=1234; drop-sessions");
  EXPECT_FALSE(app.sign(session, key, data) == CKR_OK);
  EXPECT_EQ(1U, log.count("key_replaced"));
}

TEST_F(Recovery, BeginsAMultiPartSignatureAgainAlsoIfOnlyOthersFoundTheLoss) {
  const CK_SESSION_HANDLE other = app.open(app.slot("stub-a"));
  CK_MECHANISM mechanism{CKM_ECDSA_SHA256, nullptr, 0};
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
  trouble.run("drop-sessions");
  ASSERT_RV(CKR_OK, app.sign(other, key, data));
  bytes part = "part"_b;
  EXPECT_RV(CKR_OK, app.p11.C_SignUpdate(session, part.data(), part.size()));
}

TEST_F(Recovery, EndsAMultiPartSignatureHonestly) {
  CK_MECHANISM mechanism{CKM_ECDSA_SHA256, nullptr, 0};
  bytes part = "part"_b;
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
  ASSERT_RV(CKR_OK, app.p11.C_SignUpdate(session, part.data(), part.size()));
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_SignUpdate(session, part.data(), part.size()));
  expect_right_signature();
}

TEST_F(Recovery, EndsASearchHonestly) {
  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, nullptr, 0));
  trouble.run("drop-sessions");
  CK_OBJECT_HANDLE found = 0;
  CK_ULONG count = 0;
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_FindObjects(session, &found, 1, &count));
  EXPECT_EQ(0U, count);
  expect_right_signature();
}

TEST_F(Recovery, LosesSessionObjectsHonestly) {
  CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  CK_OBJECT_CLASS object_class = CKO_DATA;
  CK_BBOOL no = CK_FALSE;
  char label[] = "note";
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                            {CKA_TOKEN, &no, sizeof no},
                            {CKA_LABEL, label, 4}};
  CK_OBJECT_HANDLE note = 0;
  ASSERT_RV(CKR_OK, app.p11.C_CreateObject(writable, pattern, 3, &note));
  EXPECT_EQ("note"_b, app.attribute(writable, note, CKA_LABEL));
  trouble.run("drop-sessions");
  CK_ATTRIBUTE one{CKA_LABEL, nullptr, 0};
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_GetAttributeValue(writable, note, &one, 1));
  expect_right_signature();
}

// ---- what is known about a vendor's module (vendor/quirks.cpp) ----------------------------------

TEST_F(Recovery, TriesNewSessionsBeforeItRestartsTheModuleAfterAGeneralError) {
  expect_right_signature();
  trouble.run("fail C_SignInit 1 CKR_GENERAL_ERROR");
  expect_right_signature();
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
  EXPECT_NE(std::string::npos, log.text().find(" rung=1 attempt=1 ")) << log.text();
}

class RecoveryOfTpm2 : named_like_tpm2_pkcs11, public Recovery {};

// After a reset of the TPM its sessions look alive: a new one would be, too.
TEST_F(RecoveryOfTpm2, RestartsTheModuleAtOnceAfterAGeneralError) {
  expect_right_signature();
  trouble.run("fail C_SignInit 1 CKR_GENERAL_ERROR");
  expect_right_signature();
  EXPECT_EQ(1U, trouble.count("C_Finalize"));
  EXPECT_EQ(2U, trouble.count("C_Initialize"));
  EXPECT_NE(std::string::npos, log.text().find(" rung=2 attempt=1 ")) << log.text();
}

TEST_F(RecoveryOfTpm2, TriesNewSessionsFirstWhenItSaysThatTheyAreGone) {
  expect_right_signature();
  trouble.run("drop-sessions");
  expect_right_signature();
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
  EXPECT_NE(std::string::npos, log.text().find(" rung=1 attempt=1 ")) << log.text();
}

struct named_like_p11_kit : named_like {
  named_like_p11_kit() : named_like("PKCS#11 Kit", "PKCS#11 Kit Proxy Module") {}
};
class RecoveryThroughP11Kit : named_like_p11_kit, public Recovery {
 protected:
  RecoveryThroughP11Kit() : Recovery(milliseconds(500)) {}
};

TEST_F(RecoveryThroughP11Kit, NeverRestartsAModuleWhoseFinaliseGoesNowhere) {
  expect_right_signature();
  EXPECT_EQ(1U, log.count("proxy")) << "the advice to name the vendor's module";
  trouble.run("remove-token; return-token needs-reinit");
  EXPECT_RV(CKR_DEVICE_REMOVED, app.sign(session, key, data));
  EXPECT_LT(2U, log.count("still-lost")) << "often enough for a restart";
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
  EXPECT_EQ(1U, trouble.count("C_Initialize"));
}

TEST_F(RecoveryThroughP11Kit, OpensNewSessionsAllTheSame) {
  expect_right_signature();
  trouble.run("drop-sessions");
  expect_right_signature();
}

}  // namespace
}  // namespace hsmtls::test
