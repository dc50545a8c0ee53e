// Waiting for what another thread or process does: for a condition, never for a guessed time, and
// never without a limit.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace hsmtls::test {

// `eventually` waits until `condition()` is true. A success tells nothing of how long it took: the
// limit is only there so that a test that waits in vain says so.
template <class Condition>
[[nodiscard]] testing::AssertionResult eventually(
    Condition&& condition, std::chrono::milliseconds limit = std::chrono::seconds(30)) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until)
      return testing::AssertionFailure() << "not within " << limit.count() << " ms";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return testing::AssertionSuccess();
}

}  // namespace hsmtls::test
