// A request that fails for good is the request's fault: it must not cost others their sessions again
// and again. How often the token is rebuilt for it, and how often the module is restarted.
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;

class Suspicion : public over_stub {
 protected:
  Suspicion()
      : over_stub(milliseconds(1000)),
        vendor(HSMTLS_TEST_CHAOS),
        app(front),
        session(app.open(app.slot("stub-a"))) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, id);
    wanted = expected_signature(app, session, id, data);
    EXPECT_RV(CKR_OK, app.sign(session, key, data));
  }

  [[nodiscard]] size_t rebuilds() const { return log.count("restored") + log.count("still-lost"); }
  [[nodiscard]] uint64_t restarts() const { return trouble.count("C_Finalize"); }

  // Somebody else's session on the token.
  CK_SESSION_HANDLE at_vendor() {
    CK_SESSION_HANDLE opened = 0;
    EXPECT_RV(
        CKR_OK,
        vendor->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &opened));
    return opened;
  }
  CK_OBJECT_HANDLE find_at_vendor(CK_SESSION_HANDLE in, CK_OBJECT_CLASS object_class) {
    CK_BYTE its_id = 0x01;
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                              {CKA_ID, &its_id, 1}};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    EXPECT_RV(CKR_OK, vendor->C_FindObjectsInit(in, pattern, 2));
    EXPECT_RV(CKR_OK, vendor->C_FindObjects(in, &found, 1, &count));
    EXPECT_RV(CKR_OK, vendor->C_FindObjectsFinal(in));
    EXPECT_EQ(1U, count);
    return found;
  }

  const bytes id{0x01};
  const bytes data = "what is signed"_b;
  module_under_test vendor;
  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
  bytes wanted;
};

TEST_F(Suspicion, OfAKeyThatSomebodyRemovedRebuildsTwiceAndRestartsOnce) {
  const CK_SESSION_HANDLE other = at_vendor();
  ASSERT_RV(CKR_OK, vendor->C_DestroyObject(other, find_at_vendor(other, CKO_PRIVATE_KEY)));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.sign(session, key, data));
  EXPECT_LE(rebuilds(), 3U);
  EXPECT_LE(restarts(), 1U);
  const auto before = restarts();
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.sign(session, key, data));
  EXPECT_LE(rebuilds(), 5U);
  EXPECT_EQ(before, restarts()) << "not for each such request";
}

TEST_F(Suspicion, OfADeviceErrorThatStaysRestartsOnceAndHandsItOn) {
  for (const std::string function : {"C_SignInit", "C_Sign"}) {
    const auto rebuilds_before = rebuilds();
    const auto restarts_before = restarts();
    trouble.run("fail " + function + " * CKR_DEVICE_ERROR");
    for (int i = 0; i < 3; ++i) {
      EXPECT_RV(CKR_DEVICE_ERROR, app.sign(session, key, data)) << function;
      app.p11.C_SignInit(session, nullptr, 0);
    }
    EXPECT_LE(rebuilds(), rebuilds_before + 9) << "three for each request";
    EXPECT_LE(restarts(), restarts_before + 1) << "one for all of them";
    trouble.run("clear");
    bytes signature;
    EXPECT_RV(CKR_OK, app.sign(session, key, data, &signature));
    EXPECT_EQ(wanted, signature);
  }
  EXPECT_EQ(1U, restarts()) << "rung 2 is tried";
}

TEST_F(Suspicion, OfAKeyThatWantsALoginForEachSignatureRebuildsFewTimes) {
  trouble.run("always-authenticate");
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
  EXPECT_LE(rebuilds(), 4U);
  EXPECT_EQ(0U, restarts());
}

TEST_F(Suspicion, OfAnAttributeThatCannotBeReadRebuildsFewTimes) {
  trouble.run("fail C_GetAttributeValue * CKR_OBJECT_HANDLE_INVALID");
  CK_ATTRIBUTE one{CKA_LABEL, nullptr, 0};
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_GetAttributeValue(session, key, &one, 1));
  EXPECT_LE(rebuilds(), 4U);
}

TEST_F(Suspicion, LeavesOthersOperationsAloneOnceTheTokenIsKnownToWork) {
  const CK_SESSION_HANDLE other = at_vendor();
  ASSERT_RV(CKR_OK, vendor->C_DestroyObject(other, find_at_vendor(other, CKO_PRIVATE_KEY)));
  std::thread waits([&] { EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.sign(session, key, data)); });
  ASSERT_TRUE(eventually([&] { return rebuilds() >= 3; }));
  // The one whose key is gone waits for it; whoever begins now is not disturbed any more.
  const CK_SESSION_HANDLE digesting = app.open(app.slot("stub-a"));
  CK_MECHANISM sha256{CKM_SHA256, nullptr, 0};
  ASSERT_RV(CKR_OK, app.p11.C_DigestInit(digesting, &sha256));
  waits.join();
  bytes part = "part"_b;
  EXPECT_RV(CKR_OK, app.p11.C_DigestUpdate(digesting, part.data(), part.size()));
}

// Nothing is "no such key" while it may only not be back yet.
TEST_F(Suspicion, WaitsForAKeyWhosePublicHalfComesBackLate) {
  const CK_SESSION_HANDLE other = at_vendor();
  const CK_OBJECT_HANDLE public_key = find_at_vendor(other, CKO_PUBLIC_KEY);
  // The public key and the certificate are what tells this key apart.
  bytes point(256);
  bytes params(64);
  CK_ATTRIBUTE read[] = {{CKA_EC_POINT, point.data(), point.size()},
                         {CKA_EC_PARAMS, params.data(), params.size()}};
  ASSERT_RV(CKR_OK, vendor->C_GetAttributeValue(other, public_key, read, 2));
  ASSERT_RV(CKR_OK, vendor->C_DestroyObject(other, public_key));
  trouble.run("drop-sessions");
  std::thread brings_it_back([&] {
    ASSERT_TRUE(eventually([&] { return rebuilds() >= 2; }));
    const CK_SESSION_HANDLE in = at_vendor();
    CK_OBJECT_CLASS object_class = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_BBOOL yes = CK_TRUE;
    CK_BYTE its_id = 0x01;
    char label[] = "device";
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                              {CKA_KEY_TYPE, &type, sizeof type},
                              {CKA_TOKEN, &yes, sizeof yes},
                              {CKA_ID, &its_id, 1},
                              {CKA_LABEL, label, sizeof label - 1},
                              read[0],
                              read[1]};
    CK_OBJECT_HANDLE made = 0;
    EXPECT_RV(CKR_OK, vendor->C_CreateObject(in, pattern, std::size(pattern), &made));
  });
  bytes signature;
  EXPECT_RV(CKR_OK, app.sign(session, key, data, &signature));
  EXPECT_EQ(wanted, signature);
  brings_it_back.join();
  EXPECT_EQ(0U, log.count("key_replaced"));
}

}  // namespace
}  // namespace hsmtls::test
