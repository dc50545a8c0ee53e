// A call that never returns holds its own session and nobody else.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One call of the application in a thread of its own.
class caller {
 public:
  template <class Call>
  explicit caller(Call&& call)
      : thread_([this, call] {
          answer_ = call();
          done_ = true;
        }) {}
  ~caller() { join(); }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;

  [[nodiscard]] bool done() const { return done_; }
  CK_RV join() {
    if (!thread_.joinable()) return answer_;
    if (!eventually([this] { return done_.load(); })) {
      ADD_FAILURE() << "a call that was released did not return";
      std::fflush(stdout);
      _exit(1);  // nothing else ends its thread
    }
    thread_.join();
    return answer_;
  }

 private:
  std::atomic<bool> done_{false};
  CK_RV answer_ = CKR_GENERAL_ERROR;
  std::thread thread_;
};

class Stuck : public over_stub {
 protected:
  explicit Stuck(milliseconds deadline = seconds(10)) : over_stub(deadline) {}
  ~Stuck() override { trouble.run("clear"); }

  void set_up(const client& app) {
    session = app.open(app.slot("stub-a"));
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, {0x01});
    EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
  }

  // Waits until the application's next call of `function` is inside the chaos module.
  template <class Call>
  std::unique_ptr<caller> hang(const std::string& function, Call&& call) {
    const auto before = trouble.count(function);
    trouble.run("hang " + function + " 1");
    auto thread = std::make_unique<caller>(call);
    if (!eventually([&] { return trouble.count(function) > before; })) {
      ADD_FAILURE() << "nobody called " << function;
      trouble.run("clear");
    }
    return thread;
  }

  template <class Call>
  static milliseconds time_of(Call&& call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  }

  CK_SESSION_HANDLE session = 0;
  CK_OBJECT_HANDLE key = 0;
};

class StuckImpatiently : public Stuck {
 protected:
  StuckImpatiently() : Stuck(milliseconds(400)) {}
};

TEST_F(Stuck, ASignatureThatNeverReturnsLeavesTheOtherThreadsAlone) {
  const client app(front);
  set_up(app);
  const CK_SESSION_HANDLE stuck_session = app.open(app.slot("stub-a"));
  const auto stuck = hang("C_Sign", [&] { return app.sign(stuck_session, key, "data"_b); });

  const auto sign_in_three_threads = [&] {
    std::vector<std::thread> signers;
    for (int i = 0; i < 3; ++i) {
      signers.emplace_back([&] {
        const CK_SESSION_HANDLE mine = app.open(app.slot("stub-a"));
        for (int n = 0; n < 100; ++n) EXPECT_RV(CKR_OK, app.sign(mine, key, "data"_b));
        EXPECT_RV(CKR_OK, app.p11.C_CloseSession(mine));
      });
    }
    for (auto& one : signers) one.join();
  };
  sign_in_three_threads();
  trouble.run("drop-sessions");
  sign_in_three_threads();

  EXPECT_LT(time_of([&] { EXPECT_RV(CKR_OK, app.p11.C_CloseSession(stuck_session)); }), seconds(5));
  EXPECT_FALSE(stuck->done());
  trouble.run("release");
  stuck->join();
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(StuckImpatiently, TheModuleIsNotRestartedUnderACallThatNeverReturns) {
  const client app(front);
  set_up(app);
  const CK_SESSION_HANDLE stuck_session = app.open(app.slot("stub-a"));
  const auto stuck = hang("C_Sign", [&] { return app.sign(stuck_session, key, "data"_b); });
  trouble.run("remove-token; return-token needs-reinit");

  EXPECT_LT(time_of([&] { EXPECT_RV(CKR_FUNCTION_FAILED, app.sign(session, key, "data"_b)); }),
            seconds(5));
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
  EXPECT_FALSE(stuck->done());

  trouble.run("release");
  stuck->join();
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
  EXPECT_EQ(1U, trouble.count("C_Finalize"));
}

TEST_F(StuckImpatiently, AnOpenSessionThatNeverReturnsHoldsOthersNoLongerThanTheirDeadline) {
  const client app(front);
  set_up(app);
  const CK_SLOT_ID slot = app.slot("stub-a");
  const CK_SLOT_ID other_slot = app.slot("stub-b");
  // The real session is in use, so that the next one has to be opened.
  ASSERT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, nullptr, 0));
  CK_SESSION_HANDLE opened = 0;
  const auto stuck = hang("C_OpenSession", [&] {
    return app.p11.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &opened);
  });

  CK_SESSION_HANDLE another = 0;
  EXPECT_LT(time_of([&] {
              EXPECT_RV(
                  CKR_FUNCTION_FAILED,
                  app.p11.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &another));
            }),
            seconds(5));
  EXPECT_RV(CKR_OK,
            app.p11.C_OpenSession(other_slot, CKF_SERIAL_SESSION, nullptr, nullptr, &another))
      << "the other token";
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b)) << "a session that is open already";

  EXPECT_FALSE(stuck->done());
  trouble.run("release");
  EXPECT_RV(CKR_OK, stuck->join());
  EXPECT_RV(CKR_OK, app.sign(opened, key, "data"_b));
}

TEST_F(StuckImpatiently, ARecoveryThatNeverReturnsHoldsOthersNoLongerThanTheirDeadline) {
  const client app(front);
  set_up(app);
  const CK_SESSION_HANDLE stuck_session = app.open(app.slot("stub-a"));
  trouble.run("drop-sessions");
  const auto stuck = hang("C_OpenSession", [&] { return app.sign(stuck_session, key, "data"_b); });
  EXPECT_LT(time_of([&] { EXPECT_RV(CKR_FUNCTION_FAILED, app.sign(session, key, "data"_b)); }),
            seconds(5));
  trouble.run("release");
  stuck->join();
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(StuckImpatiently, AnInitialiseThatNeverReturnsHoldsOthersNoLongerThanTheirDeadline) {
  const auto stuck = hang("C_Initialize", [&] { return front->C_Initialize(nullptr); });
  EXPECT_LT(time_of([&] { EXPECT_RV(CKR_FUNCTION_FAILED, front->C_Initialize(nullptr)); }),
            seconds(5));
  CK_INFO info{};
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_GetInfo(&info));
  EXPECT_NE(nullptr, front.functions_3_0()) << "the list of interfaces";
  EXPECT_FALSE(stuck->done());

  trouble.run("release");
  EXPECT_RV(CKR_OK, stuck->join());
  {
    const client app(front);
    set_up(app);
  }
  EXPECT_RV(CKR_OK, front->C_Finalize(nullptr));
  EXPECT_EQ(1U, trouble.count("C_Initialize"));
  EXPECT_EQ(1U, trouble.count("C_Finalize"));
}

TEST_F(StuckImpatiently, ARestartThatNeverReturnsHoldsOthersNoLongerThanTheirDeadline) {
  const client app(front);
  set_up(app);
  const CK_SESSION_HANDLE stuck_session = app.open(app.slot("stub-a"));
  trouble.run("remove-token; return-token needs-reinit");
  const auto stuck = hang("C_Initialize", [&] { return app.sign(stuck_session, key, "data"_b); });
  EXPECT_LT(time_of([&] { EXPECT_RV(CKR_FUNCTION_FAILED, app.sign(session, key, "data"_b)); }),
            seconds(5));
  CK_ULONG count = 0;
  EXPECT_LT(time_of([&] {
              EXPECT_RV(CKR_FUNCTION_FAILED, app.p11.C_GetSlotList(CK_TRUE, nullptr, &count));
            }),
            seconds(5));
  trouble.run("release");
  stuck->join();
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
}

TEST_F(StuckImpatiently, FinalisingDoesNotWaitForACallThatNeverReturnsAndAllIsWellAfterwards) {
  std::unique_ptr<caller> stuck;
  {
    const client app(front);
    set_up(app);
    const CK_SESSION_HANDLE stuck_session = app.open(app.slot("stub-a"));
    stuck = hang("C_Sign", [this, stuck_session, list = app.p11]() -> CK_RV {
      CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
      CK_BYTE data[4] = {};
      CK_BYTE out[64];
      CK_ULONG length = sizeof out;
      if (const CK_RV begun = list.C_SignInit(stuck_session, &mechanism, key); begun != CKR_OK)
        return begun;
      return list.C_Sign(stuck_session, data, 4, out, &length);
    });
  }
  EXPECT_EQ(0U, trouble.count("C_Finalize")) << "C_Finalize while a call is inside";
  EXPECT_FALSE(stuck->done());
  {
    const client app(front);
    set_up(app);
    trouble.run("release");
    stuck->join();
    // The module is still ours to restart.
    trouble.run("remove-token; return-token needs-reinit");
    EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
  }
  EXPECT_EQ(2U, trouble.count("C_Finalize"));
}

// Two vendors' modules, of which one never comes out of C_Initialize.
class StuckBesideAnother : public testing::Test {
 protected:
  StuckBesideAnother()
      : second_stub(std::string(HSMTLS_TEST_SCRATCH) + "/second-stub-" + std::to_string(getpid()) +
                    ".so"),
        copied(std::filesystem::copy_file(HSMTLS_TEST_STUB_VENDOR, second_stub)),
        front(load_front(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR) + ":" + second_stub,
                         milliseconds(400))) {}
  ~StuckBesideAnother() override {
    trouble.run("clear");
    std::filesystem::remove(second_stub);
  }

  std::string second_stub;
  bool copied;
  log_file log;
  module_under_test front;
  chaos trouble;
};

TEST_F(StuckBesideAnother, TheOtherModuleWorksWhileOneHangsInInitialise) {
  trouble.run("hang C_Initialize 1");
  caller stuck([&] { return front->C_Initialize(nullptr); });
  EXPECT_TRUE(eventually([&] { return trouble.count("C_Initialize") > 0; })) << "no C_Initialize";
  {
    const client app(front);
    EXPECT_EQ(2U, app.slots().size());
    const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {0x01}), "data"_b));
    EXPECT_FALSE(stuck.done());
    trouble.run("release");
    EXPECT_RV(CKR_OK, stuck.join());
    EXPECT_EQ(4U, app.slots().size());
    EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {0x01}), "data"_b));
  }
  EXPECT_RV(CKR_OK, front->C_Finalize(nullptr));
}

// A session that a call hung in is closed when the call has come out, and that may hang again.
TEST_F(Stuck, ASessionWhoseEndHangsHoldsNobody) {
  const client app(front);
  set_up(app);
  const CK_SESSION_HANDLE hung = app.open(app.slot("stub-a"));
  const auto signs = hang("C_Sign", [&] { return app.sign(hung, key, "data"_b); });
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
  const auto ends = hang("C_CloseSession", [&] {
    trouble.run("release");
    return CKR_OK;
  });
  EXPECT_TRUE(eventually([&] { return signs->done(); })) << "also not the one that came out late";
  // Several at once: each needs a session of its own, and all but one have to be opened.
  std::vector<std::thread> signers;
  std::atomic<int> failed = 0;
  for (int t = 0; t < 4; ++t) {
    signers.emplace_back([&] {
      const CK_SESSION_HANDLE mine = app.open(app.slot("stub-a"));
      failed += app.sign(mine, key, "data"_b) == CKR_OK ? 0 : 1;
    });
  }
  for (auto& one : signers) one.join();
  EXPECT_EQ(0, failed);
  trouble.run("release; clear");
}

}  // namespace
}  // namespace hsmtls::test
