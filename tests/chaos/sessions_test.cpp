// drop-sessions, drop-sessions-at, drop-sessions-every, limit-sessions.
#include <atomic>
#include <thread>

#include "fixture.hpp"

namespace hsmtls::test {
namespace {

class Sessions : public chaos_over_stub {
 protected:
  CK_RV session_info() {
    CK_SESSION_INFO info;
    return call->C_GetSessionInfo(session, &info);
  }
};

TEST_F(Sessions, AreLostOnAllSlotsWhenDropped) {
  CK_SESSION_HANDLE on_b = 0;
  ASSERT_EQ(open_session(call, 1, &on_b), CKR_OK);
  control.run("drop-sessions");
  EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
  CK_SESSION_INFO info;
  EXPECT_EQ(call->C_GetSessionInfo(on_b, &info), CKR_SESSION_HANDLE_INVALID);
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Sessions, LoseTheLoginWhenDropped) {
  control.run("drop-sessions");
  ASSERT_EQ(open_session(call, 0, &session), CKR_OK);
  EXPECT_EQ(find(call, session, CKO_PRIVATE_KEY, 1), 0U);
  EXPECT_EQ(login(call, session, "1234"), CKR_OK);
}

TEST_F(Sessions, AreDroppedBetweenSignInitAndSign) {
  control.run("drop-sessions-at C_Sign 2");
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(sign_init(), CKR_OK);
  EXPECT_EQ(sign_final_step(), CKR_SESSION_HANDLE_INVALID);
}

TEST_F(Sessions, AreDroppedDuringLogin) {
  control.run("drop-sessions");
  control.run("drop-sessions-at C_Login 1");
  ASSERT_EQ(open_session(call, 0, &session), CKR_OK);
  EXPECT_EQ(login(call, session, "1234"), CKR_SESSION_HANDLE_INVALID);
}

TEST_F(Sessions, AreDroppedDuringASearch) {
  control.run("drop-sessions-at C_FindObjects 1");
  EXPECT_EQ(call->C_FindObjectsInit(session, nullptr, 0), CKR_OK);
  CK_OBJECT_HANDLE found = 0;
  CK_ULONG count = 0;
  EXPECT_EQ(call->C_FindObjects(session, &found, 1, &count), CKR_SESSION_HANDLE_INVALID);
}

TEST_F(Sessions, AreDroppedBeforeEveryThirdCall) {
  control.run("drop-sessions-every 3 C_SignInit");
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(sign(), CKR_OK);
    EXPECT_EQ(sign(), CKR_OK);
    EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
    reopen();
  }
}

TEST_F(Sessions, AreRefusedBeyondTheLimit) {
  control.run("limit-sessions 3");
  CK_SESSION_HANDLE more[3] = {};
  EXPECT_EQ(open_session(call, 0, &more[0]), CKR_OK);
  EXPECT_EQ(open_session(call, 0, &more[1]), CKR_OK);
  EXPECT_EQ(open_session(call, 0, &more[2]), CKR_SESSION_COUNT);
  // The limit is each token's own.
  EXPECT_EQ(open_session(call, 1, &more[2]), CKR_OK);
  EXPECT_EQ(call->C_CloseSession(more[0]), CKR_OK);
  EXPECT_EQ(open_session(call, 0, &more[0]), CKR_OK);
  CK_TOKEN_INFO info;
  ASSERT_EQ(call->C_GetTokenInfo(0, &info), CKR_OK);
  EXPECT_EQ(info.ulMaxSessionCount, 3U);
  control.run("limit-sessions off");
  EXPECT_EQ(open_session(call, 0, &more[2]), CKR_OK);
}

TEST_F(Sessions, CountAgainstTheLimitOnlyWhileTheyAreOpen) {
  control.run("limit-sessions 2");
  for (int i = 0; i < 3; ++i) {
    CK_SESSION_HANDLE more = 0;
    EXPECT_EQ(open_session(call, 0, &more), CKR_OK);
    EXPECT_EQ(open_session(call, 0, &more), CKR_SESSION_COUNT);
    switch (i) {
      case 0:
        control.run("drop-sessions");
        break;
      case 1:
        EXPECT_EQ(call->C_CloseAllSessions(0), CKR_OK);
        break;
      default:
        EXPECT_EQ(call->C_Finalize(nullptr), CKR_OK);
        EXPECT_EQ(call->C_Initialize(nullptr), CKR_OK);
    }
    EXPECT_EQ(open_session(call, 0, &session), CKR_OK);
  }
}

TEST_F(Sessions, NeverExceedTheLimitWhenManyThreadsOpenThem) {
  control.run("limit-sessions 4");  // one of them is the fixture's
  std::atomic<int> opened = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      CK_SESSION_HANDLE more = 0;
      if (open_session(call, 0, &more) == CKR_OK) ++opened;
    });
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(opened, 3);
}

TEST_F(Sessions, SurviveCommandsFromOtherThreads) {
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      std::vector<CK_BYTE> digest(32, 1);
      std::vector<CK_BYTE> out(64);
      while (!done) {
        CK_SESSION_HANDLE own = 0;
        if (open_session(call, 0, &own) != CKR_OK) continue;
        login(call, own, "1234");
        const CK_OBJECT_HANDLE own_key = find(call, own, CKO_PRIVATE_KEY, 1);
        CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
        CK_ULONG len = out.size();
        call->C_SignInit(own, &ecdsa, own_key);
        const CK_RV rv = call->C_Sign(own, digest.data(), digest.size(), out.data(), &len);
        if (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED) ++wrong;
        call->C_CloseSession(own);
      }
    });
  }
  const char* const scripts[] = {"drop-sessions",
                                 "remove-token slot=0",
                                 "return-token slot=0",
                                 "delay C_Sign 1ms",
                                 "clear",
                                 "always-authenticate",
                                 "always-authenticate off",
                                 "limit-sessions 3",
                                 "limit-sessions off"};
  for (int i = 0; i < 400; ++i) control.run(scripts[i % std::size(scripts)]);
  done = true;
  for (auto& each : threads) each.join();
  EXPECT_EQ(wrong, 0);
  control.reset();
  call->C_CloseAllSessions(0);
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
}

}  // namespace
}  // namespace hsmtls::test
