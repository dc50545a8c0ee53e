// After C_Logout nobody is logged in, whatever the token is doing at that moment: a wrong PIN is not
// taken for a login that the vendor still believes in.
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

class Logout : public over_stub {
 protected:
  Logout() : over_stub(std::chrono::seconds(3)), app(front), session(app.open(app.slot("stub-a"))) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, id);
    EXPECT_RV(CKR_OK, app.sign(session, key, data));
  }

  void expect_that_a_wrong_pin_is_refused() {
    EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
    CK_SESSION_INFO info{};
    EXPECT_RV(CKR_OK, app.p11.C_GetSessionInfo(session, &info));
    EXPECT_EQ(CKS_RO_PUBLIC_SESSION, info.state);
    EXPECT_TRUE(app.find(session, CKO_PRIVATE_KEY, id).empty());
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, id), data));
  }

  CK_SESSION_HANDLE digesting() {
    const CK_SESSION_HANDLE opened = app.open(app.slot("stub-a"));
    CK_MECHANISM sha256{CKM_SHA256, nullptr, 0};
    bytes part = "part"_b;
    EXPECT_RV(CKR_OK, app.p11.C_DigestInit(opened, &sha256));
    EXPECT_RV(CKR_OK, app.p11.C_DigestUpdate(opened, part.data(), part.size()));
    return opened;
  }

  const bytes id{0x01};
  const bytes data = "what is signed"_b;
  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
};

TEST_F(Logout, EndsTheLoginAlsoWhileARecoveryLogsIn) {
  const CK_SESSION_HANDLE other = app.open(app.slot("stub-a"));
  const auto before = trouble.count("C_Login");
  trouble.run("hang C_Login 1; drop-sessions");
  std::thread signs([&] { EXPECT_FALSE(app.sign(other, key, data) == CKR_OK); });
  ASSERT_TRUE(eventually([&] { return trouble.count("C_Login") > before; }));
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  trouble.run("release; clear");
  signs.join();
  expect_that_a_wrong_pin_is_refused();
}

TEST_F(Logout, EndsTheLoginAlsoWhenOthersHaveAllSessions) {
  trouble.run("drop-sessions; limit-sessions 2");
  digesting();
  digesting();
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  expect_that_a_wrong_pin_is_refused();
}

TEST_F(Logout, EndsTheLoginAlsoWhenACallHangsInASessionThatCarriesIt) {
  const CK_SESSION_HANDLE hung = app.open(app.slot("stub-a"));
  const CK_SESSION_HANDLE begun = app.open(app.slot("stub-a"));
  trouble.run("drop-sessions; limit-sessions 2");
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(begun, &mechanism, key));
  const auto before = trouble.count("C_Sign");
  trouble.run("hang C_Sign 1");
  std::thread hangs([&] { app.sign(hung, key, data); });
  ASSERT_TRUE(eventually([&] { return trouble.count("C_Sign") > before; }));
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  bytes in = data;
  bytes out(64);
  CK_ULONG length = out.size();
  EXPECT_FALSE(app.p11.C_Sign(begun, in.data(), in.size(), out.data(), &length) == CKR_OK)
      << "begun before the logout";
  trouble.run("release; clear; limit-sessions off");
  hangs.join();
  expect_that_a_wrong_pin_is_refused();
}

TEST_F(Logout, EndsTheOperationsThatWereBegunBeforeIt) {
  const CK_SESSION_HANDLE other = app.open(app.slot("stub-a"));
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(other, &mechanism, key));
  trouble.run("drop-sessions");
  ASSERT_RV(CKR_OK, app.sign(session, key, data));  // finds the loss
  ASSERT_RV(CKR_OK, app.p11.C_Logout(session));
  ASSERT_RV(CKR_OK, app.login(session, "1234"));
  bytes in = data;
  bytes out(64);
  CK_ULONG length = out.size();
  EXPECT_RV(CKR_OPERATION_NOT_INITIALIZED,
            app.p11.C_Sign(other, in.data(), in.size(), out.data(), &length));
}

TEST_F(Logout, NeedsNoMoreThanTheOneSessionThatItsOwnOperationHolds) {
  trouble.run("drop-sessions; limit-sessions 1");
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
  const auto rebuilds = log.count("restored");
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_EQ(rebuilds, log.count("restored")) << "not by ending every session";
  expect_that_a_wrong_pin_is_refused();
}

TEST_F(Logout, ThatTheVendorRefusesEndsTheLoginWithItsSessions) {
  trouble.run("fail C_Logout * CKR_FUNCTION_FAILED");
  app.p11.C_Logout(session);
  expect_that_a_wrong_pin_is_refused();
}

}  // namespace
}  // namespace hsmtls::test
