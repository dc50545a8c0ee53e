// Every function that a vendor offers works through the module, the v2.40 list and v3.0.
#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/pkcs11/sweep_walk.hpp"

namespace hsmtls::test {
namespace {

class Forwarding : public over_stub {
 protected:
  Forwarding() : app(front), slot(app.slot("stub-a")), v3(*front.functions_3_0()) {}

  CK_SESSION_HANDLE open(CK_FLAGS flags = CKF_RW_SESSION) { return app.open(slot, flags); }

  CK_SESSION_HANDLE open_logged_in(CK_FLAGS flags = CKF_RW_SESSION) {
    const CK_SESSION_HANDLE session = open(flags);
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    return session;
  }

  CK_STATE state(CK_SESSION_HANDLE session) {
    CK_SESSION_INFO info{};
    EXPECT_RV(CKR_OK, app.p11.C_GetSessionInfo(session, &info));
    EXPECT_EQ(slot, info.slotID);
    return info.state;
  }

  CK_OBJECT_HANDLE aes_key(CK_SESSION_HANDLE session) {
    CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
    CK_ULONG length = 16;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE pattern[] = {{CKA_VALUE_LEN, &length, sizeof length},
                              {CKA_PRIVATE, &no, sizeof no}};
    CK_OBJECT_HANDLE made = 0;
    EXPECT_RV(CKR_OK, app.p11.C_GenerateKey(session, &mechanism, pattern, 2, &made));
    return made;
  }

  // What a walk through one chapter answers: every call CKR_OK, every result right.
  void expect_walk(void (walk::*chapter)()) {
    known_tokens known{slot, app.slot("stub-b"), {}, {}};
    const CK_SESSION_HANDLE session = open();
    known.ec_point =
        app.attribute(session, app.find(session, CKO_PUBLIC_KEY, {1}).at(0), CKA_EC_POINT);
    EXPECT_RV(CKR_OK, app.p11.C_CloseSession(session));
    walk one(v3, known);
    one.open_up();
    (one.*chapter)();
    one.close_down();
    one.finalise();
    for (const auto& call : one.answers) {
      const CK_RV wanted =
          std::strcmp(call.function, "C_WaitForSlotEvent") == 0 ? CKR_NO_EVENT : CKR_OK;
      EXPECT_RV(wanted, call.value) << call.function;
    }
    EXPECT_THAT(one.wrong, testing::IsEmpty());
  }

  client app;
  CK_SLOT_ID slot;
  const CK_FUNCTION_LIST_3_0& v3;
  CK_MECHANISM ecdsa{CKM_ECDSA, nullptr, 0};
  CK_MECHANISM sha256{CKM_SHA256, nullptr, 0};
  CK_MECHANISM aes{CKM_AES_ECB, nullptr, 0};
};

TEST_F(Forwarding, OfSlotsAndMechanisms) {
  expect_walk(&walk::look_around);
}
TEST_F(Forwarding, OfSessionsLoginsAndSavedState) {
  expect_walk(&walk::sessions);
}
TEST_F(Forwarding, OfTokenAndPinAdministration) {
  expect_walk(&walk::administer);
}
TEST_F(Forwarding, OfObjects) {
  expect_walk(&walk::objects);
}
TEST_F(Forwarding, OfSignaturesAndVerifications) {
  expect_walk(&walk::signatures);
}
TEST_F(Forwarding, OfDigestsCiphersAndBothAtOnce) {
  expect_walk(&walk::ciphers);
}
TEST_F(Forwarding, OfKeysWrappingAndRandomNumbers) {
  expect_walk(&walk::keys);
}
TEST_F(Forwarding, OfMessages) {
  expect_walk(&walk::messages);
}

// --- the two conventions for results of unknown length ---

TEST_F(Forwarding, AnswersHowLongASignatureIsAndSignsThen) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  bytes data = "data"_b;
  bytes wanted;
  ASSERT_RV(CKR_OK, app.sign(session, key, data, &wanted));
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &ecdsa, key));
  CK_ULONG length = 0;
  ASSERT_RV(CKR_OK, app.p11.C_Sign(session, data.data(), data.size(), nullptr, &length));
  EXPECT_EQ(64U, length);
  bytes signature(length);
  length = 10;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL,
            app.p11.C_Sign(session, data.data(), data.size(), signature.data(), &length));
  EXPECT_EQ(64U, length);
  EXPECT_RV(CKR_OK, app.p11.C_Sign(session, data.data(), data.size(), signature.data(), &length));
  EXPECT_EQ(wanted, signature);
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            app.p11.C_Sign(session, data.data(), data.size(), signature.data(), &length));
}

TEST_F(Forwarding, EncryptionGoesOnAfterAShortBuffer) {
  const CK_SESSION_HANDLE session = open();
  const CK_OBJECT_HANDLE key = aes_key(session);
  bytes plain = "sixteen bytes..!"_b;
  bytes sealed(16);
  CK_ULONG length = 1;
  ASSERT_RV(CKR_OK, app.p11.C_EncryptInit(session, &aes, key));
  EXPECT_RV(CKR_BUFFER_TOO_SMALL,
            app.p11.C_Encrypt(session, plain.data(), plain.size(), sealed.data(), &length));
  EXPECT_RV(CKR_OK, app.p11.C_Encrypt(session, plain.data(), plain.size(), sealed.data(), &length));
  EXPECT_EQ(16U, length);

  ASSERT_RV(CKR_OK, app.p11.C_EncryptInit(session, &aes, key));
  bytes parts(16);
  length = 1;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL,
            app.p11.C_EncryptUpdate(session, plain.data(), plain.size(), parts.data(), &length));
  EXPECT_RV(CKR_OK,
            app.p11.C_EncryptUpdate(session, plain.data(), plain.size(), parts.data(), &length));
  length = 0;
  EXPECT_RV(CKR_OK, app.p11.C_EncryptFinal(session, parts.data(), &length));
  EXPECT_EQ(sealed, parts);
}

TEST_F(Forwarding, ADigestGoesOnAfterAShortBuffer) {
  const CK_SESSION_HANDLE session = open();
  bytes data = "data"_b;
  bytes digest(32);
  CK_ULONG length = 0;
  ASSERT_RV(CKR_OK, app.p11.C_DigestInit(session, &sha256));
  ASSERT_RV(CKR_OK, app.p11.C_DigestUpdate(session, data.data(), data.size()));
  EXPECT_RV(CKR_OK, app.p11.C_DigestFinal(session, nullptr, &length));
  EXPECT_EQ(32U, length);
  length = 31;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, app.p11.C_DigestFinal(session, digest.data(), &length));
  EXPECT_RV(CKR_OK, app.p11.C_DigestFinal(session, digest.data(), &length));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_DigestFinal(session, digest.data(), &length));
}

TEST_F(Forwarding, TellsTheLengthOfWhatDoesNotFitIntoATemplate) {
  const CK_SESSION_HANDLE session = open();
  const CK_OBJECT_HANDLE half = app.find(session, CKO_PUBLIC_KEY, {1}).at(0);
  CK_BYTE small[2];
  CK_OBJECT_CLASS object_class = 0;
  CK_ATTRIBUTE asked[] = {{CKA_EC_POINT, small, sizeof small},
                          {CKA_CLASS, &object_class, sizeof object_class},
                          {CKA_MODULUS, nullptr, 0}};
  EXPECT_NE(rv{CKR_OK}, rv{app.p11.C_GetAttributeValue(session, half, asked, 3)});
  EXPECT_EQ(CK_UNAVAILABLE_INFORMATION, asked[0].ulValueLen);
  EXPECT_EQ(CK_OBJECT_CLASS{CKO_PUBLIC_KEY}, object_class);
  EXPECT_EQ(CK_UNAVAILABLE_INFORMATION, asked[2].ulValueLen);
}

TEST_F(Forwarding, RefusesASlotListThatIsTooShort) {
  CK_SLOT_ID one = 99;
  CK_ULONG count = 1;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, app.p11.C_GetSlotList(CK_TRUE, &one, &count));
  EXPECT_EQ(2U, count);
}

// --- sessions beside each other ---

TEST_F(Forwarding, TwoSessionsDoDifferentThings) {
  const CK_SESSION_HANDLE signing = open_logged_in();
  const CK_SESSION_HANDLE hashing = open(0);
  const CK_OBJECT_HANDLE key = app.private_key(signing, {1});
  bytes data = "data"_b;
  bytes wanted;
  ASSERT_RV(CKR_OK, app.sign(signing, key, data, &wanted));

  bytes signature(64);
  bytes digest(32);
  CK_ULONG length = 64;
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(signing, &ecdsa, key));
  ASSERT_RV(CKR_OK, app.p11.C_DigestInit(hashing, &sha256));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            app.p11.C_Sign(hashing, data.data(), data.size(), signature.data(), &length));
  EXPECT_RV(CKR_OK, app.p11.C_DigestUpdate(hashing, data.data(), data.size()));
  length = 64;
  EXPECT_RV(CKR_OK, app.p11.C_Sign(signing, data.data(), data.size(), signature.data(), &length));
  length = 32;
  EXPECT_RV(CKR_OK, app.p11.C_DigestFinal(hashing, digest.data(), &length));
  EXPECT_EQ(wanted, signature);
}

TEST_F(Forwarding, OneSessionSearchesAndSigns) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, nullptr, 0));
  CK_OBJECT_HANDLE found = 0;
  CK_ULONG count = 0;
  ASSERT_RV(CKR_OK, app.p11.C_FindObjects(session, &found, 1, &count));
  bytes signature;
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b, &signature));
  int more = 0;
  while (app.p11.C_FindObjects(session, &found, 1, &count) == CKR_OK && count == 1) ++more;
  EXPECT_EQ(6, more) << "three key pairs and a certificate, less the first";
  EXPECT_RV(CKR_OPERATION_ACTIVE, app.p11.C_FindObjectsInit(session, nullptr, 0));
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
}

TEST_F(Forwarding, ASearchGivesAsManyAsAreAskedFor) {
  // Applications take fewer for the end of the search.
  const CK_SESSION_HANDLE session = open_logged_in();
  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, nullptr, 0));
  std::vector<CK_OBJECT_HANDLE> found(7);
  CK_ULONG count = 0;
  EXPECT_RV(CKR_OK, app.p11.C_FindObjects(session, found.data(), found.size(), &count));
  EXPECT_EQ(7U, count);
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
}

TEST_F(Forwarding, ASessionObjectIsSeenByOtherSessionsAndDiesWithItsOwn) {
  const CK_SESSION_HANDLE making = open();
  const CK_SESSION_HANDLE looking = open(0);
  const CK_OBJECT_HANDLE key = aes_key(making);
  EXPECT_EQ(16U, app.attribute(looking, key, CKA_VALUE_LEN).size() * 2);
  EXPECT_RV(CKR_OK, app.p11.C_EncryptInit(looking, &aes, key));
  EXPECT_RV(CKR_OK, app.p11.C_CloseSession(making));
  CK_ATTRIBUTE length{CKA_VALUE_LEN, nullptr, 0};
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_GetAttributeValue(looking, key, &length, 1));
}

TEST_F(Forwarding, ADeadSessionObjectCostsNoRecovery) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE made = aes_key(session);
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  trouble.run("drop-sessions");
  ASSERT_RV(CKR_OK, app.sign(session, key, "data"_b));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.p11.C_EncryptInit(session, &aes, made));
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_DestroyObject(session, made));
  EXPECT_EQ(1U, log.count("lost"));
}

TEST_F(Forwarding, SavedOperationsGoOnInAnotherSession) {
  const CK_SESSION_HANDLE from = open_logged_in();
  const CK_SESSION_HANDLE to = open();
  const CK_OBJECT_HANDLE key = app.private_key(from, {1});
  const CK_OBJECT_HANDLE verifier = app.find(from, CKO_PUBLIC_KEY, {1}).at(0);
  CK_MECHANISM hashed{CKM_ECDSA_SHA256, nullptr, 0};
  bytes part = "part"_b;
  bytes results[2] = {bytes(64), bytes(64)};
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(from, &hashed, key));
  ASSERT_RV(CKR_OK, app.p11.C_SignUpdate(from, part.data(), part.size()));
  bytes state(4096);
  CK_ULONG length = 0;
  ASSERT_RV(CKR_OK, app.p11.C_GetOperationState(from, nullptr, &length));
  ASSERT_RV(CKR_OK, app.p11.C_GetOperationState(from, state.data(), &length));
  ASSERT_RV(CKR_OK, app.p11.C_SetOperationState(to, state.data(), length, 0, key));
  for (int i = 0; i < 2; ++i) {
    length = 64;
    EXPECT_RV(CKR_OK, app.p11.C_SignFinal(i == 0 ? from : to, results[i].data(), &length));
  }
  EXPECT_EQ(results[0], results[1]);

  // A verification, and without a key: the vendor's state may hold what it needs.
  ASSERT_RV(CKR_OK, app.p11.C_VerifyInit(from, &hashed, verifier));
  ASSERT_RV(CKR_OK, app.p11.C_VerifyUpdate(from, part.data(), part.size()));
  length = state.size();
  ASSERT_RV(CKR_OK, app.p11.C_GetOperationState(from, state.data(), &length));
  for (const CK_OBJECT_HANDLE given : {verifier, CK_OBJECT_HANDLE{0}}) {
    ASSERT_RV(CKR_OK, app.p11.C_SetOperationState(to, state.data(), length, 0, given));
    EXPECT_RV(CKR_OK, app.p11.C_VerifyFinal(to, results[0].data(), 64));
  }
}

// --- states, logins ---

TEST_F(Forwarding, SessionsShowTheStatesOfTheStandard) {
  const CK_SESSION_HANDLE reading = open(0);
  const CK_SESSION_HANDLE writing = open();
  EXPECT_EQ(CK_STATE{CKS_RO_PUBLIC_SESSION}, state(reading));
  EXPECT_EQ(CK_STATE{CKS_RW_PUBLIC_SESSION}, state(writing));
  EXPECT_RV(CKR_SESSION_READ_ONLY_EXISTS, app.login(writing, "so1234", CKU_SO));
  ASSERT_RV(CKR_OK, app.login(reading, "1234"));
  EXPECT_EQ(CK_STATE{CKS_RO_USER_FUNCTIONS}, state(reading));
  EXPECT_EQ(CK_STATE{CKS_RW_USER_FUNCTIONS}, state(writing));
  EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, app.login(writing, "1234"));
  EXPECT_NE(rv{CKR_OK}, rv{app.login(writing, "so1234", CKU_SO)});
  EXPECT_RV(CKR_OK, app.p11.C_Logout(reading));
  EXPECT_EQ(CK_STATE{CKS_RW_PUBLIC_SESSION}, state(writing));
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.p11.C_Logout(reading));
}

TEST_F(Forwarding, TheSecurityOfficerAllowsNoReadOnlySession) {
  const CK_SESSION_HANDLE writing = open();
  ASSERT_RV(CKR_OK, app.login(writing, "so1234", CKU_SO));
  EXPECT_EQ(CK_STATE{CKS_RW_SO_FUNCTIONS}, state(writing));
  CK_SESSION_HANDLE other = 0;
  EXPECT_RV(CKR_SESSION_READ_WRITE_SO_EXISTS,
            app.p11.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &other));
  EXPECT_RV(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, app.login(writing, "1234"));
  EXPECT_RV(CKR_OK, app.p11.C_Logout(writing));
  EXPECT_RV(CKR_OK, app.p11.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &other));
}

TEST_F(Forwarding, ClosingTheLastSessionLogsOut) {
  const CK_SESSION_HANDLE first = open_logged_in();
  const CK_SESSION_HANDLE second = open();
  EXPECT_RV(CKR_OK, app.p11.C_CloseSession(first));
  EXPECT_EQ(CK_STATE{CKS_RW_USER_FUNCTIONS}, state(second));
  EXPECT_RV(CKR_OK, app.p11.C_CloseSession(second));
  EXPECT_EQ(CK_STATE{CKS_RW_PUBLIC_SESSION}, state(open()));
  const CK_SESSION_HANDLE third = open_logged_in();
  EXPECT_RV(CKR_OK, app.p11.C_CloseAllSessions(slot));
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_CloseSession(third));
  EXPECT_EQ(CK_STATE{CKS_RW_PUBLIC_SESSION}, state(open()));
}

TEST_F(Forwarding, LogoutHidesPrivateObjects) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  ASSERT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_NE(rv{CKR_OK}, rv{app.p11.C_SignInit(session, &ecdsa, key)});
  EXPECT_THAT(app.find(session, CKO_PRIVATE_KEY, {1}), testing::IsEmpty());
}

TEST_F(Forwarding, AReadOnlySessionMakesNoTokenObject) {
  const CK_SESSION_HANDLE session = open_logged_in(0);
  CK_OBJECT_CLASS object_class = CKO_DATA;
  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                            {CKA_TOKEN, &yes, sizeof yes}};
  CK_OBJECT_HANDLE made = 0;
  EXPECT_RV(CKR_SESSION_READ_ONLY, app.p11.C_CreateObject(session, pattern, 2, &made));
}

TEST_F(Forwarding, AChangedPinIsTheOneThatRecovers) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  CK_UTF8CHAR before[] = "1234";
  CK_UTF8CHAR after[] = "56789";
  ASSERT_RV(CKR_OK, app.p11.C_SetPIN(session, before, 4, after, 5));
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(Forwarding, ALoginThatWorksEndsThePauseAfterThoseThatFailed) {
  const CK_SESSION_HANDLE session = open();
  trouble.run("fail C_Login 1..5 CKR_GENERAL_ERROR");
  for (int i = 0; i < 3; ++i) EXPECT_RV(CKR_GENERAL_ERROR, app.login(session, "1234"));
  EXPECT_EQ(5U, trouble.count("C_Login CKR_GENERAL_ERROR")) << "a call may be repeated once";
  EXPECT_EQ(1U, log.count("login-paused"));
  ASSERT_RV(CKR_OK, app.login(session, "1234"));
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(Forwarding, AnInitialisedTokenTakesItsNewPin) {
  CK_UTF8CHAR officer_pin[] = "so1234";
  CK_UTF8CHAR pin[] = "4321";
  CK_UTF8CHAR label[33] = "fresh                           ";
  const CK_SESSION_HANDLE before = open_logged_in();
  EXPECT_RV(CKR_SESSION_EXISTS, app.p11.C_InitToken(slot, officer_pin, 6, label));
  EXPECT_RV(CKR_OK, app.p11.C_CloseSession(before));
  ASSERT_RV(CKR_OK, app.p11.C_InitToken(slot, officer_pin, 6, label));
  EXPECT_EQ(slot, app.slot("fresh"));
  const CK_SESSION_HANDLE session = open();
  EXPECT_RV(CKR_USER_PIN_NOT_INITIALIZED, app.login(session, "4321"));
  ASSERT_RV(CKR_OK, app.login(session, "so1234", CKU_SO));
  ASSERT_RV(CKR_OK, app.p11.C_InitPIN(session, pin, 4));
  ASSERT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_RV(CKR_OK, app.login(session, "4321"));
  EXPECT_THAT(app.find(session, CKO_PRIVATE_KEY, {1}), testing::IsEmpty());
}

// --- interfaces ---

TEST_F(Forwarding, NoFunctionPointerIsTheVendors) {
  const module_under_test vendor(HSMTLS_TEST_STUB_VENDOR);
  const module_under_test between(HSMTLS_TEST_CHAOS);
  CK_ULONG count = 0;
  const auto list = front.symbol<CK_C_GetInterfaceList>("C_GetInterfaceList");
  const auto get = front.symbol<CK_C_GetInterface>("C_GetInterface");
  ASSERT_RV(CKR_OK, list(nullptr, &count));
  std::vector<CK_INTERFACE> offered(count);
  ASSERT_RV(CKR_OK, list(offered.data(), &count));
  ASSERT_EQ(2U, count);
  count = 1;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, list(offered.data(), &count));
  for (const CK_INTERFACE& one : offered) {
    EXPECT_STREQ("PKCS 11", reinterpret_cast<const char*>(one.pInterfaceName));
    EXPECT_NE(vendor.functions_3_0(), one.pFunctionList);
    EXPECT_NE(between.functions_3_0(), one.pFunctionList);
  }
  for (const auto* real : {vendor.functions_3_0(), between.functions_3_0()}) {
#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) EXPECT_NE(real->name, v3.name) << #name;
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0
  }
  CK_INTERFACE* found = nullptr;
  ASSERT_RV(CKR_OK, get(nullptr, nullptr, &found, 0));
  EXPECT_EQ(&v3, found->pFunctionList) << "the default is the newest";
  CK_VERSION old{2, 40};
  ASSERT_RV(CKR_OK, get(nullptr, &old, &found, 0));
  EXPECT_EQ(front.functions(), found->pFunctionList);
  CK_VERSION unknown{9, 9};
  EXPECT_RV(CKR_FUNCTION_FAILED, get(nullptr, &unknown, &found, 0));
  CK_UTF8CHAR other[] = "Vendor X";
  EXPECT_RV(CKR_FUNCTION_FAILED, get(other, nullptr, &found, 0));
  EXPECT_RV(CKR_ARGUMENTS_BAD, get(nullptr, nullptr, nullptr, 0));
  EXPECT_RV(CKR_ARGUMENTS_BAD, list(nullptr, nullptr));
}

TEST_F(Forwarding, AUserOfTheNewInterfaceRecovers) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  bytes data = "data"_b;
  bytes wanted;
  ASSERT_RV(CKR_OK, app.sign(session, key, data, &wanted));
  trouble.run("drop-sessions");
  bytes signature(64);
  CK_ULONG length = 64;
  ASSERT_RV(CKR_OK, v3.C_SignInit(session, &ecdsa, key));
  ASSERT_RV(CKR_OK, v3.C_Sign(session, data.data(), data.size(), signature.data(), &length));
  EXPECT_EQ(wanted, signature);

  trouble.run("drop-sessions");
  signature.assign(64, 0);
  ASSERT_RV(CKR_OK, v3.C_MessageSignInit(session, &ecdsa, key));
  ASSERT_RV(
      CKR_OK,
      v3.C_SignMessage(session, nullptr, 0, data.data(), data.size(), signature.data(), &length));
  EXPECT_EQ(wanted, signature);
  trouble.run("drop-sessions");
  EXPECT_RV(
      CKR_OPERATION_NOT_INITIALIZED,
      v3.C_SignMessage(session, nullptr, 0, data.data(), data.size(), signature.data(), &length));
  EXPECT_RV(CKR_OK, v3.C_MessageSignInit(session, &ecdsa, key)) << "the operation is over";
  EXPECT_RV(CKR_OK, v3.C_SessionCancel(session, CKF_MESSAGE_SIGN));
}

TEST_F(Forwarding, CancelsOperationsByEitherWay) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &ecdsa, key));
  EXPECT_RV(CKR_OPERATION_ACTIVE, app.p11.C_SignInit(session, &ecdsa, key));
  EXPECT_RV(CKR_OK, v3.C_SessionCancel(session, CKF_SIGN));
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &ecdsa, key));
  EXPECT_RV(CKR_OK, app.p11.C_SignInit(session, nullptr, 0));
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

// --- mistakes of the application ---

TEST_F(Forwarding, UnknownHandlesAreNamed) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  const CK_ULONG nobody = 987654;
  CK_TOKEN_INFO token{};
  CK_SLOT_INFO slot_info{};
  CK_SESSION_INFO info{};
  CK_SESSION_HANDLE opened = 0;
  CK_BYTE byte = 0;
  CK_ULONG length = 1;
  CK_ATTRIBUTE label{CKA_LABEL, nullptr, 0};
  EXPECT_RV(CKR_SLOT_ID_INVALID, app.p11.C_GetTokenInfo(nobody, &token));
  EXPECT_RV(CKR_SLOT_ID_INVALID, app.p11.C_GetSlotInfo(nobody, &slot_info));
  EXPECT_RV(CKR_SLOT_ID_INVALID, app.p11.C_GetMechanismList(nobody, nullptr, &length));
  EXPECT_RV(CKR_SLOT_ID_INVALID, app.p11.C_CloseAllSessions(nobody));
  EXPECT_RV(CKR_SLOT_ID_INVALID,
            app.p11.C_OpenSession(nobody, CKF_SERIAL_SESSION, nullptr, nullptr, &opened));
  EXPECT_RV(CKR_SESSION_PARALLEL_NOT_SUPPORTED,
            app.p11.C_OpenSession(slot, 0, nullptr, nullptr, &opened));
  for (const CK_SESSION_HANDLE wrong : {CK_SESSION_HANDLE{0}, nobody}) {
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_GetSessionInfo(wrong, &info));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_CloseSession(wrong));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_SignInit(wrong, &ecdsa, key));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_Sign(wrong, &byte, 1, &byte, &length));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.login(wrong, "1234"));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_FindObjectsInit(wrong, nullptr, 0));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_GetFunctionStatus(wrong));
    EXPECT_RV(CKR_SESSION_HANDLE_INVALID, v3.C_SessionCancel(wrong, CKF_SIGN));
  }
  for (const CK_OBJECT_HANDLE wrong : {CK_OBJECT_HANDLE{0}, nobody}) {
    EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.p11.C_SignInit(session, &ecdsa, wrong));
    EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.p11.C_EncryptInit(session, &aes, wrong));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_GetAttributeValue(session, wrong, &label, 1));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_DestroyObject(session, wrong));
    EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_CopyObject(session, wrong, nullptr, 0, &opened));
    EXPECT_RV(CKR_WRAPPING_KEY_HANDLE_INVALID,
              app.p11.C_WrapKey(session, &aes, wrong, key, &byte, &length));
    EXPECT_RV(CKR_UNWRAPPING_KEY_HANDLE_INVALID,
              app.p11.C_UnwrapKey(session, &aes, wrong, &byte, 1, nullptr, 0, &opened));
    EXPECT_RV(CKR_KEY_HANDLE_INVALID,
              app.p11.C_DeriveKey(session, &ecdsa, wrong, nullptr, 0, &opened));
  }
  EXPECT_RV(CKR_FUNCTION_NOT_PARALLEL, app.p11.C_GetFunctionStatus(session));
  EXPECT_RV(CKR_FUNCTION_NOT_PARALLEL, app.p11.C_CancelFunction(session));
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
  EXPECT_EQ(0U, log.count("lost")) << "a caller's mistake is no loss";
}

TEST_F(Forwarding, AKeyOfAnotherTokenIsUnknownHere) {
  const CK_SESSION_HANDLE here = open_logged_in();
  const CK_SESSION_HANDLE there = app.open(app.slot("stub-b"));
  ASSERT_RV(CKR_OK, app.login(there, "1234"));
  const CK_OBJECT_HANDLE key = app.private_key(there, {1});
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.p11.C_SignInit(here, &ecdsa, key));
}

TEST_F(Forwarding, MissingArgumentsAreNamed) {
  const CK_SESSION_HANDLE session = open_logged_in();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  CK_BYTE byte = 0;
  CK_ULONG count = 0;
  CK_OBJECT_HANDLE handle = 0;
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetInfo(nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetFunctionList(nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetSlotList(CK_TRUE, nullptr, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetSlotInfo(slot, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetTokenInfo(slot, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetMechanismList(slot, nullptr, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetMechanismInfo(slot, CKM_ECDSA, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_WaitForSlotEvent(CKF_DONT_BLOCK, nullptr, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD,
            app.p11.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetSessionInfo(session, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_FindObjectsInit(session, nullptr, 1));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetAttributeValue(session, key, nullptr, 1));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_SetAttributeValue(session, key, nullptr, 1));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GetObjectSize(session, key, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_CreateObject(session, nullptr, 1, &handle));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_CreateObject(session, nullptr, 0, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_CopyObject(session, key, nullptr, 0, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_SignInit(session, nullptr, key));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_DigestInit(session, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GenerateKey(session, &aes, nullptr, 0, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD,
            app.p11.C_GenerateKeyPair(session, &aes, nullptr, 0, nullptr, 0, nullptr, nullptr));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_GenerateRandom(session, nullptr, 8));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_SeedRandom(session, nullptr, 8));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_Finalize(&byte));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_FindObjects(session, &handle, 1, &count));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_FindObjectsFinal(session));
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_SignUpdate(session, &byte, 1));

  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, nullptr, 0));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_FindObjects(session, nullptr, 1, &count));
  EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_FindObjects(session, &handle, 1, nullptr));
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
  for (const auto& [data, length] : {std::pair{&byte, static_cast<CK_ULONG*>(nullptr)},
                                     std::pair{static_cast<CK_BYTE*>(nullptr), &count}}) {
    ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &ecdsa, key));
    EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_Sign(session, data, 1, &byte, length));
    EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_Sign(session, &byte, 1, &byte, &count));
  }
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(Forwarding, AHugeRequestForObjectsIsNoReasonToDie) {
  const CK_SESSION_HANDLE session = open_logged_in();
  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, nullptr, 0));
  std::vector<CK_OBJECT_HANDLE> found(64);
  CK_ULONG count = 0;
  // More than memory holds; the vendor has seven.
  EXPECT_RV(CKR_OK, app.p11.C_FindObjects(session, found.data(), ~CK_ULONG{0} / 16, &count));
  EXPECT_EQ(7U, count);
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
}

TEST_F(Forwarding, ASecondApplicationInTheProcessIsCounted) {
  EXPECT_RV(CKR_OK, app.p11.C_Initialize(nullptr));
  const CK_SESSION_HANDLE session = open_logged_in();
  EXPECT_RV(CKR_OK, app.p11.C_Finalize(nullptr));
  EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {1}), "data"_b));
}

TEST(Unforwarded, NothingWorksBeforeInitialisation) {
  const module_under_test front =
      load_front(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR), std::chrono::seconds(1));
  CK_INFO info{};
  CK_ULONG count = 0;
  CK_SLOT_ID slot = 0;
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_GetInfo(&info));
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_GetSlotList(CK_TRUE, nullptr, &count));
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_WaitForSlotEvent(0, &slot, nullptr));
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_CloseSession(1));
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_Logout(1));
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_Finalize(nullptr));
  const auto some = [](void**) -> CK_RV { return CKR_OK; };
  CK_C_INITIALIZE_ARGS half{};
  half.CreateMutex = some;
  EXPECT_RV(CKR_ARGUMENTS_BAD, front->C_Initialize(&half));
}

TEST_F(Forwarding, WaitingForASlotEndsWithAnEventOrWithFinalisation) {
  CK_SLOT_ID event = 99;
  EXPECT_RV(CKR_NO_EVENT, app.p11.C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr));
  trouble.run("remove-token slot=1");
  EXPECT_RV(CKR_OK, app.p11.C_WaitForSlotEvent(0, &event, nullptr));
  EXPECT_EQ(1U, event);
  trouble.run("return-token slot=1");
  EXPECT_RV(CKR_OK, app.p11.C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr));
  std::thread waiting([&] {
    EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, app.p11.C_WaitForSlotEvent(0, &event, nullptr));
  });
  EXPECT_RV(CKR_OK, app.p11.C_Finalize(nullptr));
  waiting.join();
  EXPECT_RV(CKR_OK, app.p11.C_Initialize(nullptr));
}

TEST_F(Forwarding, SlotsAreListedAfterSomebodyElseFinalisedTheModule) {
  module_under_test(HSMTLS_TEST_STUB_VENDOR)->C_Finalize(nullptr);
  EXPECT_EQ(2U, app.slots().size());
}

// --- several vendors ---

// A copy of the stub vendor under another name: a second vendor's module, with the same slot
// numbers.
class second_stub {
 public:
  second_stub()
      : path_(std::string(HSMTLS_TEST_SCRATCH) + "/stub-" + std::to_string(getpid()) + ".so") {
    std::filesystem::copy_file(
        HSMTLS_TEST_STUB_VENDOR, path_, std::filesystem::copy_options::overwrite_existing);
  }
  ~second_stub() { std::filesystem::remove(path_); }
  second_stub(const second_stub&) = delete;
  second_stub& operator=(const second_stub&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TwoVendors : public testing::Test {
 protected:
  TwoVendors()
      : front(load_front(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR) + ":" + copy.path(),
                         std::chrono::milliseconds(300))),
        app(front) {}

  CK_OBJECT_HANDLE log_in_and_find(CK_SESSION_HANDLE session) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    return app.private_key(session, {1});
  }

  log_file log;
  second_stub copy;
  module_under_test front;
  chaos trouble;
  client app;
};

TEST_F(TwoVendors, HaveTheirSlotsSideBySide) {
  const auto slots = app.slots();
  ASSERT_EQ(4U, slots.size());
  EXPECT_THAT(slots, testing::WhenSorted(testing::ElementsAre(0, 1, 2, 3)));
  EXPECT_EQ(slots, app.slots());
  EXPECT_RV(CKR_OK, app.p11.C_Finalize(nullptr));
  EXPECT_RV(CKR_OK, app.p11.C_Initialize(nullptr));
  EXPECT_EQ(slots, app.slots()) << "numbers are stable while the process lives";
}

TEST_F(TwoVendors, WorkAtTheSameTime) {
  const auto slots = app.slots();
  ASSERT_EQ(4U, slots.size());
  const CK_SESSION_HANDLE first = app.open(slots[0]);
  const CK_SESSION_HANDLE second = app.open(slots[2]);
  const CK_OBJECT_HANDLE keys[] = {log_in_and_find(first), log_in_and_find(second)};
  EXPECT_NE(keys[0], keys[1]);
  CK_MECHANISM ecdsa{CKM_ECDSA, nullptr, 0};
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.p11.C_SignInit(first, &ecdsa, keys[1]));
  EXPECT_RV(CKR_OK, app.sign(first, keys[0], "data"_b));
  EXPECT_RV(CKR_OK, app.sign(second, keys[1], "data"_b));
}

TEST_F(TwoVendors, OneThatLosesItsTokenDoesNotDisturbTheOther) {
  const auto slots = app.slots();
  ASSERT_EQ(4U, slots.size());
  const CK_SESSION_HANDLE first = app.open(slots[0]);
  const CK_SESSION_HANDLE second = app.open(slots[2]);
  const CK_OBJECT_HANDLE keys[] = {log_in_and_find(first), log_in_and_find(second)};
  CK_MECHANISM hashed{CKM_ECDSA_SHA256, nullptr, 0};
  bytes part = "part"_b;
  bytes signature(64);
  CK_ULONG length = 64;
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(second, &hashed, keys[1]));
  ASSERT_RV(CKR_OK, app.p11.C_SignUpdate(second, part.data(), part.size()));
  trouble.run("remove-token");
  EXPECT_RV(CKR_DEVICE_REMOVED, app.sign(first, keys[0], part));
  EXPECT_RV(CKR_OK, app.p11.C_SignFinal(second, signature.data(), &length));
  EXPECT_EQ(2U, app.slots().size()) << "the other vendor's";
  trouble.run("return-token");
  EXPECT_RV(CKR_OK, app.sign(first, keys[0], part));
  EXPECT_EQ(slots, app.slots());
}

TEST_F(TwoVendors, OneThatAnswersNothingDoesNotHideTheOther) {
  trouble.run("fail C_GetSlotList * CKR_GENERAL_ERROR");
  EXPECT_EQ(2U, app.slots().size());
}

}  // namespace
}  // namespace hsmtls::test
