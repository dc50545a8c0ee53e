// A process that forks while its other threads use a key: the child finds no lock of ours held.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/keys/fixture.hpp"

namespace hsmtls::test {
namespace {

class Forks : public keys_in_softhsm {};

TEST_F(Forks, OfAProcessThatUsesAKeyHangNoChild) {
  const hsmtls_identity* const identity = open_key("p256");
  // Looks at the key and lets it go, with no call of the token: all that its lock is held for.
  const auto use = [&] {
    hsmtls_identity_counters counters{};
    counters.struct_size = sizeof counters;
    return hsmtls_identity_get_counters(identity, &counters, nullptr) == HSMTLS_OK;
  };
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!over) use();
    });
  }
  int hung = 0;
  for (int i = 0; i < 200 && hung == 0; ++i) {
    const pid_t child = fork();
    ASSERT_LE(0, child);
    if (child == 0) {
      alarm(20);  // ends a child that waits for ever
      _exit(use() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(child, waitpid(child, &status, 0));
    if (WIFSIGNALED(status))
      ++hung;
    else
      EXPECT_EQ(0, WEXITSTATUS(status));
  }
  over = true;
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(0, hung);
}

}  // namespace
}  // namespace hsmtls::test
