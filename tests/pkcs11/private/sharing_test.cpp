// Who shares the token: the public face in the same process, forked children, callers who make
// mistakes.
#include <gmock/gmock.h>

#include "tests/pkcs11/private/face.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

class PrivateShared : public private_over_stub {
 protected:
  const bytes data = bytes(32, 0x5a);
};

TEST_F(PrivateShared, KeepsItsLoginWhateverTheApplicationCloses) {
  private_key key = open_device();
  {
    const client app(front);
    const CK_SLOT_ID slot = app.slot("stub-a");
    const CK_SESSION_HANDLE session = app.open(slot);
    ASSERT_RV(CKR_OK, app.login(session, "1234"));
    expect_right_signature(key);
    EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
    expect_right_signature(key);
    EXPECT_RV(CKR_OK, app.p11.C_CloseAllSessions(slot));
    expect_right_signature(key);
  }
  expect_right_signature(key);
  EXPECT_EQ(0U, key.counters().lost);
}

TEST_F(PrivateShared, LeavesTheApplicationItsLogin) {
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
  ASSERT_RV(CKR_OK, app.login(session, "1234"));
  const CK_OBJECT_HANDLE handle = app.private_key(session, {1});
  {
    private_key key = open_device();
    expect_right_signature(key);
  }
  EXPECT_RV(CKR_OK, app.sign(session, handle, data));
  CK_SESSION_INFO info{};
  EXPECT_RV(CKR_OK, app.p11.C_GetSessionInfo(session, &info));
  EXPECT_EQ(CK_STATE{CKS_RO_USER_FUNCTIONS}, info.state);
}

TEST_F(PrivateShared, ShowsTheApplicationNoPrivateObjectBeforeItsOwnLogin) {
  private_key key = open_device();
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
  EXPECT_TRUE(app.find(session, CKO_PRIVATE_KEY, {1}).empty());
  CK_SESSION_INFO info{};
  EXPECT_RV(CKR_OK, app.p11.C_GetSessionInfo(session, &info));
  EXPECT_EQ(CK_STATE{CKS_RO_PUBLIC_SESSION}, info.state);
  const auto logins = trouble.count("C_Login");
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "not-the-pin"));
  EXPECT_RV(CKR_OK, app.login(session, "1234"));
  EXPECT_EQ(logins, trouble.count("C_Login")) << "the PIN is known: nobody has to be asked";
  EXPECT_EQ(1U, app.find(session, CKO_PRIVATE_KEY, {1}).size());
}

TEST_F(PrivateShared, OpensAKeyBesideAnApplicationThatIsLoggedIn) {
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
  ASSERT_RV(CKR_OK, app.login(session, "1234"));
  EXPECT_EQ(face.try_open(device, with_pin("not-the-pin")), HSMTLS_P11_PIN_INCORRECT);
  private_key key = open_device();
  expect_right_signature(key);
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  expect_right_signature(key);
  EXPECT_EQ(1U, trouble.count("C_Login"));
}

TEST_F(PrivateShared, GoesOnInAForkedChildAndInTheParent) {
  private_key key = open_device();
  expect_right_signature(key);
  child forked([&] {
    return expectations([&] {
      const auto logins = trouble.count("C_Login");
      expect_right_signature(key);
      EXPECT_EQ(logins + 1, trouble.count("C_Login")) << "a login of its own";
      completions all;
      EXPECT_EQ(key.sign_async(all, data), HSMTLS_P11_OK);
      EXPECT_TRUE(all.wait_for(1));
      EXPECT_EQ(HSMTLS_P11_OK, all.all()[0].code) << all.all()[0].message;
      trouble.run("drop-sessions");
      expect_right_signature(key);
      key.release();
    });
  });
  expect_right_signature(key);
  EXPECT_TRUE(forked.wait().fine());
  expect_right_signature(key);
  EXPECT_EQ(0U, key.counters().lost);
}

TEST_F(PrivateShared, KeyThatAChildNeverUsesIsReleasedThereWithoutACall) {
  private_key key = open_device();
  child forked([&] {
    return expectations([&] {
      const auto before = trouble.total();
      key.release();
      EXPECT_EQ(before, trouble.total());
    });
  });
  EXPECT_TRUE(forked.wait().fine());
  expect_right_signature(key);
}

TEST_F(PrivateShared, ForksWhileOthersSignAndChildrenSign) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "GCC 12's AddressSanitizer forks with its allocator's locks held by other threads";
#endif
  private_key key = open_device();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) ASSERT_EQ(key.sign(data), HSMTLS_P11_OK);
    });
  }
  for (int i = 0; i < 20; ++i) {
    child forked([&] { return key.sign(data).code; });
    const ending end = forked.wait();
    EXPECT_TRUE(end.fine()) << end;
  }
  stop = true;
  for (auto& one : threads) one.join();
}

TEST_F(PrivateShared, PinThatAChildHadRefusedIsNotSentByTheParent) {
  child forked([&] {
    return face.try_open(device, with_pin("not-the-pin")) == HSMTLS_P11_PIN_INCORRECT ? 0 : 1;
  });
  ASSERT_TRUE(forked.wait().fine());
  const auto logins = trouble.count("C_Login");
  EXPECT_EQ(face.try_open(device, with_pin("not-the-pin")), HSMTLS_P11_PIN_INCORRECT);
  EXPECT_EQ(logins, trouble.count("C_Login"));
}

TEST_F(PrivateShared, ChangesThePinUnderThreadsThatSign) {
  private_key key = open_device();
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::vector<std::thread> signers;
  for (int t = 0; t < 8; ++t) {
    signers.emplace_back([&] {
      while (!stop) failed += key.sign(data) == HSMTLS_P11_OK ? 0 : 1;
    });
  }
  std::string pin = "1234";
  for (const std::string next : {"56789", "24680", "13579"}) {
    EXPECT_EQ(face.change_pin("pkcs11:token=stub-a", pin, next), HSMTLS_P11_OK);
    pin = next;
    trouble.run("drop-sessions");  // the new one is known to whoever has to log in again
    expect_right_signature(key);
  }
  stop = true;
  for (auto& one : signers) one.join();
  EXPECT_EQ(0, failed);
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_PIN_INCORRECT);
}

TEST_F(PrivateShared, SaysThatTheNewPinIsNotTakenWhereItIsTheNewOne) {
  trouble.run("fail C_SetPIN 1 CKR_PIN_LEN_RANGE");
  const answer got = face.change_pin("pkcs11:token=stub-a", "1234", "5");
  EXPECT_EQ(got, HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_THAT(got.message, HasSubstr("new PIN"));
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_OK) << "the old one is good";
}

TEST_F(PrivateShared, RefusesToChangeThePinWhileAnApplicationIsTheSecurityOfficer) {
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  ASSERT_RV(CKR_OK, app.login(session, "so1234", CKU_SO));
  const answer got = face.change_pin("pkcs11:token=stub-a", "1234", "56789");
  EXPECT_EQ(got, HSMTLS_P11_IN_USE);
  EXPECT_THAT(got.message, HasSubstr("security officer"));
  EXPECT_EQ(0U, trouble.count("C_SetPIN"));
}

TEST_F(PrivateShared, RefusesToInitialiseATokenThatAnApplicationUses) {
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
  const answer got = face.initialise("pkcs11:token=stub-a", "fresh", "so1234", "56789");
  EXPECT_EQ(got, HSMTLS_P11_IN_USE);
  EXPECT_THAT(got.message, HasSubstr("application"));
  EXPECT_RV(CKR_OK, app.login(session, "1234"));
  EXPECT_EQ(1U, app.find(session, CKO_PRIVATE_KEY, {1}).size()) << "nothing happened to it";
}

TEST_F(PrivateShared, RefusesToInitialiseATokenUnderAnOpenKey) {
  private_key key = open_device();
  const answer got = face.initialise("pkcs11:token=stub-a", "fresh", "so1234", "56789");
  EXPECT_EQ(got, HSMTLS_P11_IN_USE);
  EXPECT_THAT(got.message, HasSubstr("open key"));
  expect_right_signature(key);
}

TEST_F(PrivateShared, ChangesThePinForEverybody) {
  const client app(front);  // the module stays initialised, and what it remembers stays
  EXPECT_EQ(face.try_open(device, with_pin("56789")), HSMTLS_P11_PIN_INCORRECT);
  ASSERT_EQ(face.change_pin("pkcs11:token=stub-a", "1234", "56789"), HSMTLS_P11_OK);
  const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
  EXPECT_RV(CKR_OK, app.login(session, "56789")) << "also if it was refused before";
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {1}), data));
  private_key key;
  ASSERT_EQ(face.open(device, key, with_pin("56789")), HSMTLS_P11_OK);
  expect_right_signature(key);
}

TEST_F(PrivateShared, SendsAWrongOldPinOnce) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(face.change_pin("pkcs11:token=stub-a", "wrong-one", "56789"),
              HSMTLS_P11_PIN_INCORRECT);
    EXPECT_EQ(1U, trouble.count("C_SetPIN"));
  }
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_OK);
}

TEST_F(PrivateShared, SendsAWrongSoPinOnce) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(face.initialise("pkcs11:token=stub-a", "fresh", "wrong-so", "56789"),
              HSMTLS_P11_PIN_INCORRECT);
    EXPECT_EQ(1U, trouble.count("C_InitToken"));
  }
}

TEST_F(PrivateShared, InitialisesAToken) {
  ASSERT_EQ(face.initialise("pkcs11:token=stub-b", "fresh", "so1234", "56789"), HSMTLS_P11_OK);
  private_key key;
  ASSERT_EQ(
      face.generate(
          "pkcs11:token=fresh;object=new", HSMTLS_P11_GENERATE_P256, 0, key, with_pin("56789")),
      HSMTLS_P11_OK);
  expect_right_signature(key);
  EXPECT_EQ(face.try_open("pkcs11:token=stub-b;object=device", with_pin("1234")),
            HSMTLS_P11_TOKEN_NOT_FOUND);
}

TEST_F(PrivateShared, RefusesALabelThatDoesNotFit) {
  for (const std::string label : {"", "123456789012345678901234567890123"}) {
    EXPECT_EQ(face.initialise("pkcs11:token=stub-b", label, "so1234", "56789"),
              HSMTLS_P11_BAD_ARGUMENT);
  }
  EXPECT_EQ(0U, trouble.total());
}

TEST_F(PrivateShared, TakesNullsForMistakesNotForMemory) {
  private_key key = open_device();
  const auto* f = face.get();
  hsmtls_p11_error error{};
  hsmtls_p11_key* out = nullptr;
  uint8_t place[100];
  uint32_t length = sizeof place;
  hsmtls_p11_key_info info{};
  hsmtls_p11_counters counters{};
  const auto bad = [&](int32_t code) {
    EXPECT_EQ(HSMTLS_P11_BAD_ARGUMENT, code);
    EXPECT_EQ(code, error.code);
    EXPECT_STRNE("", error.message);
    error = {};
  };
  bad(f->key_open(nullptr, nullptr, 0, &out, &error));
  bad(f->key_open(device, nullptr, 0, nullptr, &error));
  EXPECT_EQ(HSMTLS_P11_BAD_ARGUMENT, f->key_open(nullptr, nullptr, 0, nullptr, nullptr));
  f->key_retain(nullptr);
  f->key_release(nullptr);
  f->key_info(nullptr, &info);
  f->key_info(key.get(), nullptr);
  f->key_counters(nullptr, &counters);
  f->key_counters(key.get(), nullptr);
  f->key_subscribe(nullptr, events::take, nullptr);
  f->operation_cancel(nullptr);
  f->operation_release(nullptr);
  bad(f->key_certificates(nullptr, collect, nullptr, &error));
  bad(f->key_certificates(key.get(), nullptr, nullptr, &error));
  bad(f->key_sign(nullptr, &ecdsa, data.data(), 32, place, &length, 0, &error));
  bad(f->key_sign(key.get(), nullptr, data.data(), 32, place, &length, 0, &error));
  bad(f->key_sign(key.get(), &ecdsa, data.data(), 32, nullptr, &length, 0, &error));
  bad(f->key_sign(key.get(), &ecdsa, data.data(), 32, place, nullptr, 0, &error));
  bad(f->key_sign(key.get(), &ecdsa, nullptr, 32, place, &length, 0, &error));
  bad(f->key_sign_async(
      nullptr, &ecdsa, data.data(), 32, 0, completions::done, nullptr, nullptr, &error));
  bad(f->key_sign_async(
      key.get(), nullptr, data.data(), 32, 0, completions::done, nullptr, nullptr, &error));
  bad(f->key_sign_async(key.get(), &ecdsa, data.data(), 32, 0, nullptr, nullptr, nullptr, &error));
  bad(f->key_sign_async(
      key.get(), &ecdsa, nullptr, 32, 0, completions::done, nullptr, nullptr, &error));
  bad(f->list_tokens(nullptr, nullptr, &error));
  bad(f->list_objects(nullptr, nullptr, collect, nullptr, &error));
  bad(f->list_objects(device, nullptr, nullptr, nullptr, &error));
  bad(f->key_generate(nullptr, HSMTLS_P11_GENERATE_P256, 0, nullptr, &out, &error));
  bad(f->key_generate(device, HSMTLS_P11_GENERATE_P256, 0, nullptr, nullptr, &error));
  bad(f->key_generate(device, 77, 0, nullptr, &out, &error));
  bad(f->key_generate(device, HSMTLS_P11_GENERATE_RSA, 1024, nullptr, &out, &error));
  const hsmtls_p11_certificate nothing{};
  bad(f->certificate_import(device, nullptr, nullptr, &error));
  bad(f->certificate_import(device, &nothing, nullptr, &error));
  bad(f->object_remove(nullptr, nullptr, &error));
  const uint8_t pin[] = {'1', '2', '3', '4'};
  bad(f->token_initialise(nullptr, "x", pin, 4, pin, 4, &error));
  bad(f->token_initialise(device, nullptr, pin, 4, pin, 4, &error));
  bad(f->token_initialise(device, "x", nullptr, 4, pin, 4, &error));
  bad(f->token_initialise(device, "x", pin, 4, nullptr, 4, &error));
  bad(f->token_change_pin(nullptr, pin, 4, pin, 4, &error));
  bad(f->token_change_pin(device, nullptr, 4, pin, 4, &error));
  bad(f->token_change_pin(device, pin, 4, nullptr, 4, &error));
  EXPECT_EQ(nullptr, out);
  expect_right_signature(key);
}

}  // namespace
}  // namespace hsmtls::test
