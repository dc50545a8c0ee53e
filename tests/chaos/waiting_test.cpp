// delay, hang, release.
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "fixture.hpp"

namespace hsmtls::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class Waiting : public chaos_over_stub {
 protected:
  // Long enough to tell "still waiting" from "slow machine" in the one direction that can fail.
  static constexpr auto a_while = 50ms;

  std::future<CK_RV> in_background(std::function<CK_RV()> work) {
    return std::async(std::launch::async, std::move(work));
  }
};

TEST_F(Waiting, DelaysEachCall) {
  control.run("delay C_Sign 30ms");
  const auto start = steady_clock::now();
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_GE(steady_clock::now() - start, 60ms);
}

TEST_F(Waiting, DelaysOnlyTheCallsThatAreMeant) {
  control.run("delay C_SignInit 2 30ms");
  EXPECT_EQ(sign(), CKR_OK);
  const auto start = steady_clock::now();
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_GE(steady_clock::now() - start, 30ms);
}

TEST_F(Waiting, SleepsInSeveralThreadsAtOnce) {
  control.run("delay C_GetSessionInfo 200ms");
  const auto start = steady_clock::now();
  std::vector<std::future<CK_RV>> calls;
  for (int i = 0; i < 8; ++i) {
    calls.push_back(in_background([this] {
      CK_SESSION_INFO info;
      return call->C_GetSessionInfo(session, &info);
    }));
  }
  for (auto& each : calls) EXPECT_EQ(each.get(), CKR_OK);
  EXPECT_LT(steady_clock::now() - start, 8 * 200ms);
}

TEST_F(Waiting, WakesADelayedCallWhenCleared) {
  control.run("delay C_SignInit 1000s");
  auto call_in_delay = in_background([this] { return sign(); });
  EXPECT_EQ(call_in_delay.wait_for(a_while), std::future_status::timeout);
  control.run("clear");
  EXPECT_EQ(call_in_delay.get(), CKR_OK);
}

TEST_F(Waiting, HangsTheSecondCallUntilReleased) {
  control.run("hang C_SignInit 2");
  EXPECT_EQ(sign(), CKR_OK);
  auto hung = in_background([this] { return sign(); });
  EXPECT_EQ(hung.wait_for(a_while), std::future_status::timeout);
  // Others go on meanwhile.
  CK_SESSION_HANDLE other = 0;
  EXPECT_EQ(open_session(call, 0, &other), CKR_OK);
  control.run("release");
  EXPECT_EQ(hung.get(), CKR_OK);
}

TEST_F(Waiting, GoesOnToFailAfterItHung) {
  control.run("hang C_Sign 1; fail C_Sign 1 CKR_DEVICE_REMOVED");
  auto hung = in_background([this] { return sign(); });
  EXPECT_EQ(hung.wait_for(a_while), std::future_status::timeout);
  control.run("release");
  EXPECT_EQ(hung.get(), CKR_DEVICE_REMOVED);
}

TEST_F(Waiting, ReleasesEverythingWhenReset) {
  control.run("hang C_Sign *");
  auto hung = in_background([this] { return sign(); });
  EXPECT_EQ(hung.wait_for(a_while), std::future_status::timeout);
  control.reset();
  EXPECT_EQ(hung.get(), CKR_OK);
}

TEST_F(Waiting, HangsAgainAfterARelease) {
  control.run("hang C_SignInit *");
  for (int i = 0; i < 2; ++i) {
    auto hung = in_background([this] { return sign(); });
    EXPECT_EQ(hung.wait_for(a_while), std::future_status::timeout);
    control.run("release");
    EXPECT_EQ(hung.get(), CKR_OK);
  }
}

}  // namespace
}  // namespace hsmtls::test
