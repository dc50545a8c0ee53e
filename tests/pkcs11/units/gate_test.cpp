#include "core/pkcs11/vendor/gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace hsmtls::pkcs11 {
namespace {

time_point soon() {
  return steady::now() + milliseconds(20);
}
time_point later() {
  return steady::now() + std::chrono::seconds(20);
}

class Gate : public testing::Test {
 protected:
  void enter(gate::call& one, const void* owner = nullptr, CK_SESSION_HANDLE session = 0) {
    one.owner = owner;
    one.session = session;
    const auto held = door.hold();
    door.enter(one);
  }
  void leave(gate::call& one) {
    const auto held = door.hold();
    door.leave(one);
  }

  gate door;
  const int a = 0, b = 0;  // two owners
};

TEST_F(Gate, IsClearWhenNobodyIsInside) {
  auto held = door.hold();
  EXPECT_TRUE(door.drain(held, soon(), nullptr));
}

TEST_F(Gate, CallsMayLeaveInAnyOrder) {
  gate::call calls[3];
  for (auto& one : calls) enter(one);
  leave(calls[1]);
  leave(calls[2]);
  leave(calls[0]);
  auto held = door.hold();
  EXPECT_TRUE(door.drain(held, soon(), nullptr));
}

TEST_F(Gate, DrainsOneOwnerOnly) {
  gate::call of_a;
  enter(of_a, &a);
  {
    auto held = door.hold();
    EXPECT_TRUE(door.drain(held, soon(), &b));
    EXPECT_FALSE(door.any_stuck());
  }
  leave(of_a);
}

TEST_F(Gate, MarksWhatDoesNotComeOutAndDoesNotWaitForItAgain) {
  gate::call one;
  enter(one, &a, 7);
  auto held = door.hold();
  EXPECT_FALSE(door.drain(held, soon(), nullptr));
  EXPECT_TRUE(door.any_stuck());
  EXPECT_TRUE(door.is_stuck(&a, 7));
  EXPECT_FALSE(door.is_stuck(&a, 8));
  EXPECT_FALSE(door.is_stuck(&b, 7));
  const auto start = steady::now();
  EXPECT_FALSE(door.drain(held, later(), nullptr));
  EXPECT_LT(steady::now() - start, std::chrono::seconds(10));
  door.leave(one);
  EXPECT_FALSE(door.any_stuck());
  EXPECT_TRUE(door.drain(held, soon(), nullptr));
}

TEST_F(Gate, WaitsForACallThatComesOut) {
  gate::call one;
  enter(one);
  std::thread slow([&] {
    for (;;) {
      // Comes out once somebody waits for it.
      auto held = door.hold();
      if (door.state() != gate::phase::draining) continue;
      door.leave(one);
      return;
    }
  });
  {
    auto held = door.hold();
    door.go_to(gate::phase::draining);
    EXPECT_TRUE(door.drain(held, later(), nullptr));
    door.go_to(gate::phase::open);
  }
  slow.join();
}

TEST_F(Gate, StaysClosed) {
  auto held = door.hold();
  door.go_to(gate::phase::closed);
  door.go_to(gate::phase::open);
  EXPECT_EQ(gate::phase::closed, door.state());
}

TEST_F(Gate, IsNotOpenForNewCallsDuringAFork) {
  auto held = door.hold();
  door.hold_for_fork(held, soon());
  door.hold_for_fork(held, soon());
  EXPECT_EQ(gate::phase::draining, door.state());
  door.go_on_after_fork();
  EXPECT_EQ(gate::phase::draining, door.state()) << "two threads fork";
  door.go_on_after_fork();
  EXPECT_EQ(gate::phase::open, door.state());
}

TEST_F(Gate, DoesNotTakeACallForStuckBecauseOfAFork) {
  gate::call slow;
  enter(slow);
  auto held = door.hold();
  door.hold_for_fork(held, soon());
  EXPECT_FALSE(door.any_stuck());
  door.go_on_after_fork();
  door.leave(slow);
}

TEST_F(Gate, LetsEightThreadsThroughAndOneBeAlone) {
  constexpr int threads = 8;
  constexpr int rounds = 2000;
  std::atomic<int> inside = 0;
  std::atomic<int> together = 0;
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        gate::call one;
        {
          auto held = door.hold();
          door.wait(held, later(), [&] { return door.state() == gate::phase::open; });
          door.enter(one);
        }
        ++inside;
        std::this_thread::yield();
        --inside;
        leave(one);
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    auto held = door.hold();
    door.go_to(gate::phase::draining);
    ASSERT_TRUE(door.drain(held, later(), nullptr));
    door.go_to(gate::phase::alone);
    held.unlock();
    together += inside;
    held.lock();
    door.go_to(gate::phase::open);
  }
  for (auto& one : callers) one.join();
  EXPECT_EQ(0, together);
}

}  // namespace
}  // namespace hsmtls::pkcs11
