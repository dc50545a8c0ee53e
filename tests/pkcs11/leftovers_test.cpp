// What a call, a thread or a search leaves behind, and who would stumble over it: sessions in the
// vendor, logins, handles of another login.
#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <map>
#include <mutex>
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Leftovers : public over_stub {
 protected:
  explicit Leftovers(milliseconds deadline = seconds(10))
      : over_stub(deadline),
        vendor(HSMTLS_TEST_STUB_VENDOR),
        app(front),
        slot(app.slot("stub-a")) {}
  ~Leftovers() override { trouble.run("clear"); }

  [[nodiscard]] CK_SESSION_HANDLE logged_in_session(CK_FLAGS flags = 0) const {
    const CK_SESSION_HANDLE session = app.open(slot, flags);
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    return session;
  }

  // How many sessions the vendor has open, on whosever behalf.
  [[nodiscard]] CK_ULONG sessions_in_vendor() const {
    CK_TOKEN_INFO info{};
    EXPECT_RV(CKR_OK, vendor->C_GetTokenInfo(0, &info));
    return info.ulSessionCount;
  }

  const bytes data = "what is signed"_b;
  module_under_test vendor;  // itself, behind everybody's back
  client app;
  const CK_SLOT_ID slot;
};

// ---- sessions -----------------------------------------------------------------------------------

class LeftoversOfASlowCall : public Leftovers {
 protected:
  // A signature hangs in `function` while another thread finds out about a loss and brings the
  // token back.
  void expect_nothing_left_by(const std::string& function) {
    const CK_SESSION_HANDLE slow = logged_in_session();
    const CK_SESSION_HANDLE other = app.open(slot);
    const CK_OBJECT_HANDLE key = app.private_key(slow, {1});
    ASSERT_RV(CKR_OK, app.sign(slow, key, data));
    const auto before = trouble.count(function);
    const auto restored = log.count("restored");
    trouble.run("hang " + function + " 1");
    std::thread hanging([&] { EXPECT_RV(CKR_OK, app.sign(slow, key, data)); });
    EXPECT_TRUE(eventually([&] { return trouble.count(function) > before; }));
    // The vendor still knows every session: nothing but us closes them.
    trouble.run("fail C_SignInit 1 CKR_SESSION_HANDLE_INVALID");
    EXPECT_RV(CKR_OK, app.sign(other, key, data));
    EXPECT_LT(restored, log.count("restored")) << "nothing was rebuilt";
    trouble.run("clear");
    hanging.join();
    EXPECT_RV(CKR_OK, app.p11.C_CloseAllSessions(slot));
    EXPECT_TRUE(eventually([&] { return sessions_in_vendor() == 0; })) << "left open in the vendor";
  }
};

TEST_F(LeftoversOfASlowCall, NoSessionStaysOpenThatASignatureWasInWhileTheTokenWasRebuilt) {
  for (int i = 0; i < 3; ++i) expect_nothing_left_by("C_Sign");
}

TEST_F(LeftoversOfASlowCall, NoSessionStaysOpenThatABeginningWasInWhileTheTokenWasRebuilt) {
  for (int i = 0; i < 3; ++i) expect_nothing_left_by("C_SignInit");
}

TEST_F(LeftoversOfASlowCall, NoSessionStaysOpenThatSlowThreadsHadInManyRebuilds) {
  const CK_SESSION_HANDLE session = logged_in_session();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  std::vector<std::thread> slow;
  std::atomic<bool> stop{false};
  trouble.run("delay C_Sign 150ms");
  for (int t = 0; t < 4; ++t) {
    slow.emplace_back([&] {
      const CK_SESSION_HANDLE mine = app.open(slot);
      while (!stop) EXPECT_RV(CKR_OK, app.sign(mine, key, data));
    });
  }
  const auto rebuild = [&] {
    const auto signatures = trouble.count("C_Sign");
    if (!eventually([&] { return trouble.count("C_Sign") >= signatures + 4; })) return false;
    const auto restored = log.count("restored");
    trouble.run("fail C_SignInit 1 CKR_SESSION_HANDLE_INVALID");
    return static_cast<bool>(eventually([&] { return log.count("restored") > restored; }));
  };
  bool rebuilt = true;
  for (int i = 0; i < 4 && rebuilt; ++i) rebuilt = rebuild();
  EXPECT_TRUE(rebuilt);
  stop = true;
  for (auto& one : slow) one.join();
  trouble.run("clear");
  EXPECT_RV(CKR_OK, app.p11.C_CloseAllSessions(slot));
  EXPECT_EQ(0U, sessions_in_vendor());
}

// In a process of its own: a thread that spins with the lock held would never end.
TEST(LeftoversOfAnotherKind, AnIdleWritableSessionLeavesTwoThreadsInPeaceThatNeedReadOnlyOnes) {
  const log_file log;
  const module_under_test front =
      load_front(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR), seconds(10));
  const chaos trouble;
  child both([&] {
    return expectations([&] {
      const client app(front);
      const CK_SLOT_ID slot = app.slot("stub-a");
      const CK_SESSION_HANDLE writable = app.open(slot, CKF_RW_SESSION);  // and its real one idles
      trouble.run("delay C_OpenSession 200ms");
      constexpr int threads = 2;
      std::barrier start(threads);
      std::vector<std::thread> all;
      for (int i = 0; i < threads; ++i) {
        all.emplace_back([&] {
          start.arrive_and_wait();
          const CK_SESSION_HANDLE mine = app.open(slot);
          EXPECT_EQ(1U, app.find(mine, CKO_PUBLIC_KEY, {1}).size());
        });
      }
      for (auto& one : all) one.join();
      EXPECT_RV(CKR_OK, app.p11.C_CloseSession(writable));
    });
  });
  const ending ended = both.wait(seconds(20));
  EXPECT_TRUE(ended.fine()) << ended;
}

// ---- logins -------------------------------------------------------------------------------------

TEST_F(Leftovers, ALoginHoldsForWhoHasASessionOpenWhateverOtherThreadsClose) {
  constexpr int threads = 2;  // so that one of them is often the last
  trouble.run("delay C_Logout 200us; delay C_CloseSession 200us");
  const bytes point = [&] {
    const CK_SESSION_HANDLE session = app.open(slot);
    const bytes read =
        app.attribute(session, app.find(session, CKO_PUBLIC_KEY, {1}).at(0), CKA_EC_POINT);
    EXPECT_RV(CKR_OK, app.p11.C_CloseSession(session));
    return read;
  }();
  const bytes wanted = stub::signature(
      stub::key_mark(point.data(), point.size()), CKM_ECDSA, data.data(), data.size());
  std::mutex mutex;
  std::map<std::string, int> wrong;
  std::atomic<int> rounds{0};
  std::atomic<int> failures{0};
  const auto until = std::chrono::steady_clock::now() + seconds(2);
  const auto note = [&](const std::string& what) {
    const std::lock_guard held(mutex);
    ++wrong[what];
    ++failures;
  };
  const auto work = [&] {
    while (std::chrono::steady_clock::now() < until && failures < 20) {
      const CK_SESSION_HANDLE mine = app.open(slot);
      const CK_RV login = app.login(mine, "1234");
      if (login != CKR_OK && login != CKR_USER_ALREADY_LOGGED_IN)
        note(std::string("C_Login ") + pkcs11::rv_name(login));
      CK_SESSION_INFO info{};
      EXPECT_RV(CKR_OK, app.p11.C_GetSessionInfo(mine, &info));
      if (info.state != CKS_RO_USER_FUNCTIONS) note("a state without the login");
      const auto found = app.find(mine, CKO_PRIVATE_KEY, {1});
      if (found.size() == 1) {
        bytes signature;
        const CK_RV rv = app.sign(mine, found[0], data, &signature);
        if (rv != CKR_OK) note(std::string("C_Sign ") + pkcs11::rv_name(rv));
        if (rv == CKR_OK && signature != wanted) note("a wrong signature");
      } else {
        note("a private key that is not found");
      }
      EXPECT_RV(CKR_OK, app.p11.C_CloseSession(mine));
      ++rounds;
    }
  };
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(work);
  for (auto& one : all) one.join();
  for (const auto& [what, times] : wrong)
    ADD_FAILURE() << what << ", " << times << " times in " << rounds << " rounds";
  EXPECT_EQ(0U, log.count("lost")) << log.text();
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(Leftovers, ALoginThatComesDuringTheLogoutOfAnotherThreadIsNotUndoneByIt) {
  const CK_SESSION_HANDLE last = logged_in_session();
  trouble.run("delay C_Logout 100ms");
  std::thread closing([&] { EXPECT_RV(CKR_OK, app.p11.C_CloseSession(last)); });
  EXPECT_TRUE(eventually([&] { return trouble.count("C_Logout") == 1; }));
  const CK_SESSION_HANDLE session = logged_in_session();
  closing.join();
  EXPECT_EQ(1U, app.find(session, CKO_PRIVATE_KEY, {1}).size());
  EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {1}), data));
  EXPECT_EQ(0U, log.count("lost"));
}

TEST_F(Leftovers, AKeyOfAnEarlierLoginIsSearchedForBecauseTheVendorNumbersAnew) {
  const CK_SESSION_HANDLE session = logged_in_session(CKF_RW_SESSION);
  // Two keys of a kind, whose names and numbers can change places.
  CK_MECHANISM generate{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  CK_BBOOL yes = CK_TRUE;
  CK_ULONG bits = 2048;
  CK_BYTE id = 7;
  char label[] = "other";
  CK_ATTRIBUTE pattern[] = {{CKA_TOKEN, &yes, sizeof yes},
                            {CKA_ID, &id, 1},
                            {CKA_LABEL, label, 5},
                            {CKA_MODULUS_BITS, &bits, sizeof bits}};
  CK_OBJECT_HANDLE made[2];
  ASSERT_RV(
      CKR_OK,
      app.p11.C_GenerateKeyPair(session, &generate, pattern, 4, pattern, 3, &made[0], &made[1]));
  const CK_OBJECT_HANDLE keys[] = {app.private_key(session, {2}), app.private_key(session, {7})};
  bytes wanted[2];
  for (int i = 0; i < 2; ++i)
    ASSERT_RV(CKR_OK, app.sign(session, keys[i], data, &wanted[i], CKM_RSA_PKCS));
  ASSERT_NE(wanted[0], wanted[1]);

  // Keeps the token in use, so that nothing but the login ends.
  const CK_SESSION_HANDLE searching = app.open(slot);
  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(searching, nullptr, 0));
  ASSERT_RV(CKR_OK, app.p11.C_Logout(session));
  {
    CK_SESSION_HANDLE in = 0;
    ASSERT_RV(CKR_OK,
              vendor->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &in));
    CK_UTF8CHAR pin[] = "1234";
    ASSERT_RV(CKR_OK, vendor->C_Login(in, CKU_USER, pin, 4));
    constexpr CK_ATTRIBUTE_TYPE names[] = {CKA_LABEL, CKA_ID, CKA_MODULUS};
    CK_OBJECT_HANDLE real[2] = {};
    bytes values[2][3];
    for (int i = 0; i < 2; ++i) {
      CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
      CK_BYTE number = i == 0 ? 2 : 7;
      CK_ATTRIBUTE one[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, &number, 1}};
      CK_ULONG count = 0;
      ASSERT_RV(CKR_OK, vendor->C_FindObjectsInit(in, one, 2));
      ASSERT_RV(CKR_OK, vendor->C_FindObjects(in, &real[i], 1, &count));
      ASSERT_RV(CKR_OK, vendor->C_FindObjectsFinal(in));
      ASSERT_EQ(1U, count);
      for (size_t n = 0; n < std::size(names); ++n) {
        CK_ATTRIBUTE read{names[n], nullptr, 0};
        ASSERT_RV(CKR_OK, vendor->C_GetAttributeValue(in, real[i], &read, 1));
        values[i][n].resize(read.ulValueLen);
        read.pValue = values[i][n].data();
        ASSERT_RV(CKR_OK, vendor->C_GetAttributeValue(in, real[i], &read, 1));
      }
    }
    for (int i = 0; i < 2; ++i) {
      for (size_t n = 0; n < std::size(names); ++n) {
        bytes& others = values[1 - i][n];
        CK_ATTRIBUTE set{names[n], others.data(), others.size()};
        ASSERT_RV(CKR_OK, vendor->C_SetAttributeValue(in, real[i], &set, 1));
      }
    }
    ASSERT_RV(CKR_OK, vendor->C_Logout(in));
    ASSERT_RV(CKR_OK, vendor->C_CloseSession(in));
  }
  ASSERT_RV(CKR_OK, app.login(session, "1234"));
  for (int i = 0; i < 2; ++i) {
    bytes signature;
    ASSERT_RV(CKR_OK, app.sign(session, keys[i], data, &signature, CKM_RSA_PKCS)) << i;
    EXPECT_EQ(wanted[i], signature) << i;
  }
  EXPECT_EQ(0U, log.count("lost"));
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(searching));
}

TEST_F(Leftovers, APrivateSessionObjectIsGoneWithTheLoginAndAPublicOneIsNot) {
  const CK_SESSION_HANDLE session = logged_in_session(CKF_RW_SESSION);
  const auto note = [&](CK_BBOOL is_private) {
    CK_OBJECT_CLASS object_class = CKO_DATA;
    CK_BBOOL no = CK_FALSE;
    char label[] = "note";
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                              {CKA_TOKEN, &no, sizeof no},
                              {CKA_PRIVATE, &is_private, sizeof is_private},
                              {CKA_LABEL, label, 4}};
    CK_OBJECT_HANDLE made = 0;
    EXPECT_RV(CKR_OK, app.p11.C_CreateObject(session, pattern, 4, &made));
    EXPECT_EQ("note"_b, app.attribute(session, made, CKA_LABEL));
    return made;
  };
  const CK_OBJECT_HANDLE hidden = note(CK_TRUE);
  const CK_OBJECT_HANDLE shown = note(CK_FALSE);
  ASSERT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_EQ("note"_b, app.attribute(session, shown, CKA_LABEL));
  ASSERT_RV(CKR_OK, app.login(session, "1234"));
  CK_ATTRIBUTE one{CKA_LABEL, nullptr, 0};
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_GetAttributeValue(session, hidden, &one, 1));
  EXPECT_EQ("note"_b, app.attribute(session, shown, CKA_LABEL));
  EXPECT_EQ(0U, log.count("lost"));
}

// ---- operations ---------------------------------------------------------------------------------

class LeftoversOfAnOperation : public Leftovers {
 protected:
  LeftoversOfAnOperation() : session(logged_in_session()), key(app.private_key(session, {1})) {
    EXPECT_RV(CKR_OK, app.sign(session, key, data, &wanted));
  }
  void expect_that_it_ends_and_the_session_signs() {
    EXPECT_RV(CKR_OK, app.p11.C_SignInit(session, nullptr, key));
    EXPECT_RV(CKR_ARGUMENTS_BAD, app.p11.C_SignInit(session, nullptr, key)) << "nothing runs";
    bytes signature;
    EXPECT_RV(CKR_OK, app.sign(session, key, data, &signature));
    EXPECT_EQ(wanted, signature);
  }
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  const CK_SESSION_HANDLE session;
  const CK_OBJECT_HANDLE key;
  bytes wanted;
};

TEST_F(LeftoversOfAnOperation, OneThatIsEndedAfterTheTokenLostItIsEnded) {
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
  trouble.run("drop-sessions");
  expect_that_it_ends_and_the_session_signs();
}

TEST_F(LeftoversOfAnOperation, OneThatIsEndedAfterAnotherThreadFoundTheLossIsEnded) {
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
  trouble.run("drop-sessions");
  const CK_SESSION_HANDLE other = app.open(slot);
  EXPECT_RV(CKR_OK, app.sign(other, key, data));
  EXPECT_EQ(1U, log.count("lost"));
  expect_that_it_ends_and_the_session_signs();
  EXPECT_EQ(1U, log.count("lost"));
}

// ---- searches -----------------------------------------------------------------------------------

class LeftoversOfASearch : public Leftovers {
 protected:
  LeftoversOfASearch() : Leftovers(seconds(2)) { trouble.run("limit-sessions 1"); }

  // Begins to search for objects of a class and takes the first.
  CK_OBJECT_HANDLE first_of(CK_SESSION_HANDLE session, CK_OBJECT_CLASS object_class) const {
    CK_ATTRIBUTE pattern{CKA_CLASS, &object_class, sizeof object_class};
    EXPECT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, &pattern, 1));
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    EXPECT_RV(CKR_OK, app.p11.C_FindObjects(session, &found, 1, &count));
    EXPECT_EQ(1U, count);
    return found;
  }
};

TEST_F(LeftoversOfASearch, DoesNotKeepATokensOnlySessionFromReadingAKeyThatWasUsed) {
  const CK_SESSION_HANDLE session = logged_in_session();
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  ASSERT_RV(CKR_OK, app.sign(session, key, data));
  (void)first_of(session, CKO_PRIVATE_KEY);
  EXPECT_EQ("device"_b, app.attribute(session, key, CKA_LABEL));
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
}

TEST_F(LeftoversOfASearch, DoesNotKeepATokensOnlySessionFromReadingWhatItFound) {
  const CK_SESSION_HANDLE session = logged_in_session();
  for (const CK_OBJECT_CLASS one : {CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY}) {
    const CK_OBJECT_HANDLE found = first_of(session, one);
    EXPECT_FALSE(app.attribute(session, found, CKA_LABEL).empty()) << one;
    EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
  }
}

}  // namespace
}  // namespace hsmtls::test
