// Exit and fork with SoftHSM, whose libcrypto has exit handlers and locks of its own.
#include <atomic>
#include <memory>
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int runs = 20;

class ExitOverSoftHsm : public testing::Test {
 protected:
  ExitOverSoftHsm() { token.generate_ec_p256("device", "01"); }

  ending run(const std::vector<std::string>& words,
             std::map<std::string, std::string> environment = {}) {
    environment.try_emplace("HSMTLS_MODULE", softhsm_module());
    std::vector<std::string> arguments = {
        HSMTLS_TEST_SIGN_AND_EXIT, HSMTLS_TEST_FRONT, token.user_pin()};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return run_program(arguments, environment);
  }

  void expect_status_0_each_time(const std::vector<std::string>& words) {
    for (int i = 0; i < runs; ++i) {
      const ending ended = run(words);
      EXPECT_TRUE(ended.fine()) << ended;
      EXPECT_LT(ended.took, seconds(10));
    }
  }

  softhsm_token token;
};

TEST_F(ExitOverSoftHsm, MainReturnsWhileThreadsSign) {
  expect_status_0_each_time({"return"});
}
TEST_F(ExitOverSoftHsm, ExitIsCalledWhileThreadsSign) {
  expect_status_0_each_time({"exit"});
}
TEST_F(ExitOverSoftHsm, ExitIsCalledInAThread) {
  expect_status_0_each_time({"exit-in-thread"});
}
TEST_F(ExitOverSoftHsm, LibcryptoWasLoadedBeforeTheModule) {
  expect_status_0_each_time({"libcrypto-first"});
}
TEST_F(ExitOverSoftHsm, LibcryptoWasLoadedAfterTheModule) {
  expect_status_0_each_time({"libcrypto-last", "exit"});
}
TEST_F(ExitOverSoftHsm, TheProgramClosedTheModule) {
  expect_status_0_each_time({"dlclose"});
}
TEST_F(ExitOverSoftHsm, TheProgramFinalisesInAnEarlyExitHandler) {
  expect_status_0_each_time({"atexit-first"});
}
TEST_F(ExitOverSoftHsm, TheProgramFinalisesInALateExitHandler) {
  expect_status_0_each_time({"atexit-last"});
}
TEST_F(ExitOverSoftHsm, TheProgramFinalisesInAStaticDestructor) {
  expect_status_0_each_time({"static-destructor"});
}

TEST_F(ExitOverSoftHsm, ASignatureThatNeverReturnsIsNotWaitedForLong) {
  const ending ended = run({"hang"},
                           {{"HSMTLS_MODULE", HSMTLS_TEST_CHAOS},
                            {"HSMTLS_CHAOS_MODULE", softhsm_module()},
                            {"HSMTLS_CHAOS", "hang C_Sign 1"}});
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_LT(ended.took, seconds(6)) << "the guard waits for two seconds";
}

class ForkOverSoftHsm : public over_softhsm {
 protected:
  ForkOverSoftHsm() : app(front), slot(app.slot("edge")), session(app.open(slot)) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, {0x01});
    EXPECT_RV(CKR_OK, app.sign(session, key, bytes(32, 1)));
  }

  // SoftHSM 2.6.1 shows a token without its label or serial, and numbers its slot anew, while
  // another process logs in.
  CK_SLOT_ID slot_seen_by(const client& who) {
    for (const auto until = std::chrono::steady_clock::now() + seconds(10);
         std::chrono::steady_clock::now() < until;) {
      for (const CK_SLOT_ID one : who.slots()) {
        CK_TOKEN_INFO info{};
        if (who.p11.C_GetTokenInfo(one, &info) == CKR_OK &&
            pkcs11::unpadded(info.label) == token.label())
          return one;
      }
    }
    ADD_FAILURE() << "no token";
    return CK_UNAVAILABLE_INFORMATION;
  }

  void work_through_a_reset() {
    const client mine(front);
    const CK_SESSION_HANDLE own = mine.open(slot_seen_by(mine));
    CK_SESSION_INFO info{};
    ASSERT_RV(CKR_OK, mine.p11.C_GetSessionInfo(own, &info));
    EXPECT_EQ(CKS_RO_PUBLIC_SESSION, info.state) << "the parent's login";
    ASSERT_RV(CKR_OK, mine.login(own, "1234"));
    const CK_OBJECT_HANDLE own_key = mine.private_key(own, {0x01});
    for (int i = 0; i < 3; ++i) {
      ASSERT_RV(CKR_OK, mine.sign(own, own_key, bytes(32, 1)));
      trouble.run("drop-sessions");
    }
  }

  client app;
  const CK_SLOT_ID slot;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
};

TEST_F(ForkOverSoftHsm, FourWorkersSignThroughResetsAndTheParentGoesOn) {
  {
    std::vector<std::unique_ptr<child>> workers;
    for (int i = 0; i < 4; ++i) {
      workers.push_back(
          std::make_unique<child>([&] { return expectations([&] { work_through_a_reset(); }); }));
    }
    EXPECT_RV(CKR_OK, app.sign(session, key, bytes(32, 1)));
    for (const auto& one : workers) EXPECT_TRUE(one->wait().fine());
  }
  const auto logins = trouble.count("C_Login");
  EXPECT_RV(CKR_OK, app.sign(session, key, bytes(32, 1)));
  EXPECT_EQ(logins, trouble.count("C_Login")) << "a child ended the parent's login";
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, key, bytes(32, 1)));
}

TEST_F(ForkOverSoftHsm, AChildIsNotHeldByThreadsThatOnlyItsParentHas) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP()
      << "the sanitizers have no threads in such a child, and a token is brought back in one";
#endif
  std::atomic<bool> done = false;
  std::vector<std::thread> signers;
  for (int i = 0; i < 4; ++i) {
    signers.emplace_back([&] {
      const CK_SESSION_HANDLE mine = app.open(slot);
      while (!done) EXPECT_RV(CKR_OK, app.sign(mine, key, bytes(32, 1)));
    });
  }
  for (int i = 0; i < 30; ++i) {
    child forked([&] { return expectations([&] { work_through_a_reset(); }); });
    const ending ended = forked.wait(seconds(10));
    EXPECT_TRUE(ended.fine()) << ended;
    if (ended.timed_out) break;
  }
  done = true;
  for (auto& one : signers) one.join();
}

TEST_F(ForkOverSoftHsm, AChildThatExitsAfterUsingTheModuleExitsWithStatus0) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "SoftHSM's libcrypto leaks 7 kB in a child that exits";
#endif
  child forked([&]() -> int {
    if (expectations([&] { work_through_a_reset(); }) != 0) return 1;
    std::exit(0);
  });
  const ending ended = forked.wait();
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_RV(CKR_OK, app.sign(session, key, bytes(32, 1)));
}

}  // namespace
}  // namespace hsmtls::test
