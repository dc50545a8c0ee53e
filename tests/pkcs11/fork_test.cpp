// Processes that fork: prefork servers, multiprocessing.
#include <atomic>
#include <memory>
#include <thread>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/fixture.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

class Fork : public over_stub {
 protected:
  Fork() : app(front), session(app.open(app.slot("stub-a"))) {}

  void log_in() {
    ASSERT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, {0x01});
    ASSERT_RV(CKR_OK, app.sign(session, key, "data"_b));
  }

  // What a worker does: everything by itself, through a reset.
  void work_through_a_reset() {
    work([&] { trouble.run("drop-sessions"); });
  }

  // In a child of a process with several threads.
  void work_after_a_fork_among_threads() {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    // The sanitizers have no threads in such a child, and a token is brought back in one.
    work([]{});
#else
    work_through_a_reset();
#endif
  }

  template <class Reset>
  void work(Reset reset) {
    const client mine(front);
    const CK_SESSION_HANDLE own = mine.open(mine.slot("stub-a"));
    ASSERT_RV(CKR_OK, mine.login(own, "1234"));
    const CK_OBJECT_HANDLE own_key = mine.private_key(own, {0x01});
    const bytes wanted = expected_signature(mine, own, {0x01}, "data"_b);
    for (int i = 0; i < 3; ++i) {
      bytes signature;
      ASSERT_RV(CKR_OK, mine.sign(own, own_key, "data"_b, &signature));
      EXPECT_EQ(wanted, signature);
      reset();
    }
  }

  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
};

TEST_F(Fork, AChildThatDidNotInitialiseIsToldSo) {
  log_in();
  child forked([&] {
    return expectations([&] {
      CK_INFO info{};
      EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, app.p11.C_GetInfo(&info));
      CK_ULONG count = 0;
      EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, app.p11.C_GetSlotList(CK_TRUE, nullptr, &count));
      EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, app.sign(session, key, "data"_b));
      EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, app.p11.C_CloseSession(session));
      EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, app.p11.C_Finalize(nullptr));
    });
  });
  EXPECT_TRUE(forked.wait().fine());
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(Fork, FourWorkersSignThroughResetsAndTheParentGoesOn) {
  log_in();
  {
    std::vector<std::unique_ptr<child>> workers;
    for (int i = 0; i < 4; ++i) {
      workers.push_back(
          std::make_unique<child>([&] { return expectations([&] { work_through_a_reset(); }); }));
    }
    EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
    for (const auto& one : workers) EXPECT_TRUE(one->wait().fine());
  }
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(Fork, AGrandchildStartsCleanToo) {
  log_in();
  child forked([&] {
    child grandchild([&] { return expectations([&] { work_through_a_reset(); }); });
    return grandchild.wait().exit_status;
  });
  EXPECT_TRUE(forked.wait().fine());
}

TEST_F(Fork, AChildIsNotHeldByThreadsThatOnlyItsParentHas) {
  log_in();
  std::atomic<bool> done = false;
  std::vector<std::thread> signers;
  for (int i = 0; i < 4; ++i) {
    signers.emplace_back([&] {
      const CK_SESSION_HANDLE mine = app.open(app.slot("stub-a"));
      while (!done) {
        EXPECT_RV(CKR_OK, app.sign(mine, key, "data"_b));
        CK_SESSION_HANDLE another = app.open(app.slot("stub-b"));
        app.p11.C_CloseSession(another);
      }
    });
  }
  for (int i = 0; i < 40; ++i) {
    child forked([&] { return expectations([&] { work_after_a_fork_among_threads(); }); });
    const ending ended = forked.wait();
    EXPECT_TRUE(ended.fine()) << ended;
  }
  done = true;
  for (auto& one : signers) one.join();
}

TEST_F(Fork, AChildOfAProcessWithACallThatNeverReturnsWorks) {
  log_in();
  const CK_SESSION_HANDLE stuck_session = app.open(app.slot("stub-a"));
  const auto before = trouble.count("C_Sign");
  trouble.run("hang C_Sign 1");
  std::thread stuck([&] { app.sign(stuck_session, key, "data"_b); });
  EXPECT_TRUE(eventually([&] { return trouble.count("C_Sign") > before; })) << "no C_Sign";
  child forked([&] { return expectations([&] { work_after_a_fork_among_threads(); }); });
  const ending ended = forked.wait();
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
  trouble.run("release");
  stuck.join();
}

TEST_F(Fork, APinThatTheTokenRefusedIsNotSentByParentOrChildren) {
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  EXPECT_EQ(1U, trouble.count("C_Login"));
  for (int i = 0; i < 2; ++i) {
    child forked([&] {
      return expectations([&] {
        const client mine(front);
        const CK_SESSION_HANDLE own = mine.open(mine.slot("stub-a"));
        const auto before = trouble.count("C_Login");
        EXPECT_RV(CKR_PIN_INCORRECT, mine.login(own, "wrong"));
        EXPECT_EQ(before, trouble.count("C_Login")) << "the parent's refused PIN was sent";
        EXPECT_RV(CKR_PIN_INCORRECT, mine.login(own, "wrong in a child"));
        EXPECT_EQ(before + (i == 0 ? 1 : 0), trouble.count("C_Login"));
      });
    });
    EXPECT_TRUE(forked.wait().fine());
  }
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong in a child"));
  EXPECT_EQ(1U, trouble.count("C_Login")) << "a child's refused PIN was sent";
  log_in();
}

TEST_F(Fork, AChildThatExitsWithoutUsingTheModuleExitsWithStatus0) {
  log_in();
  child forked([]() -> int { std::exit(0); });
  EXPECT_TRUE(forked.wait().fine());
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(Fork, AChildThatExitsAfterUsingTheModuleExitsWithStatus0) {
  log_in();
  child forked([&]() -> int {
    if (expectations([&] { work_through_a_reset(); }) != 0) return 1;
    std::exit(0);
  });
  EXPECT_TRUE(forked.wait().fine());
}

// A child's use of tpm2-pkcs11 makes the parent fail.
class ForkWithTpm2 : named_like_tpm2_pkcs11, public Fork {};

TEST_F(ForkWithTpm2, AChildIsRefusedWithoutACallOfTheVendor) {
  log_in();
  const auto refused = [&] {
    const auto before = trouble.total();
    captured_stderr on_stderr;
    EXPECT_RV(CKR_FUNCTION_FAILED, front->C_Initialize(nullptr));
    const std::string said = on_stderr.stop();
    EXPECT_NE(std::string::npos, said.find("cannot be shared with a child")) << said;
    EXPECT_EQ(before, trouble.total());
    EXPECT_RV(CKR_FUNCTION_FAILED, front->C_Initialize(nullptr));
    EXPECT_EQ(before, trouble.total());
  };
  child forked([&] {
    return expectations([&] {
      // A grandchild, too, whether or not the child tried.
      child early([&] { return expectations(refused); });
      EXPECT_TRUE(early.wait().fine());
      refused();
    });
  });
  EXPECT_TRUE(forked.wait().fine());
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

class ForkBeforeTpm2 : named_like_tpm2_pkcs11, public over_stub {};

TEST_F(ForkBeforeTpm2, AChildMayUseItWhenTheParentDoesNot) {
  child forked([&] {
    return expectations([&] {
      const client mine(front);
      EXPECT_FALSE(mine.slots().empty());
    });
  });
  EXPECT_TRUE(forked.wait().fine());
}

}  // namespace
}  // namespace hsmtls::test
