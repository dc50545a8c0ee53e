// Rules: what happens to which call of a function.
#pragma once

#include <pkcs11.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <optional>

#include "names.hpp"

namespace hsmtls::chaos {

// `state_mutex` guards everything in this module that is not atomic. One mutex, so that fork can
// hold it; never held inside the vendor, while sleeping, or while commands run.
inline constinit std::mutex state_mutex;

struct occurrence {
  std::uint64_t first = 1;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t step = 1;

  bool covers(std::uint64_t n) const { return n >= first && n <= last && (n - first) % step == 0; }
};

enum class effect { fail, fail_after, delay, hang, drop_sessions };

struct rule {
  effect what = effect::fail;
  std::optional<function_id> function;  // none: any but those that return function lists
  occurrence which;
  CK_RV value = CKR_OK;               // fail, fail_after
  std::chrono::microseconds sleep{};  // delay
  std::uint64_t seen = 0;             // calls since the rule was made
};

// What the rules say about one call, in the order in which it is to be obeyed.
struct verdict {
  std::chrono::microseconds sleep{};
  bool hang = false;
  bool drop_sessions = false;
  std::optional<CK_RV> instead;     // of calling the vendor
  std::optional<CK_RV> afterwards;  // instead of what the vendor returned
  std::uint64_t clears = 0;         // how many `clear`s and
  std::uint64_t releases = 0;       // `release`s had been when this was decided
};

class rule_set {
 public:
  void add(const rule& added);
  void clear();
  void release();

  // `judge` counts the call with every rule that is about `called`.
  verdict judge(function_id called);

  // `wait` sleeps and hangs as `decided` says; runs `meanwhile` every few milliseconds if it is
  // set.
  void wait(const verdict& decided, const std::function<void()>& meanwhile);

  // `after_fork` runs in the child, with state_mutex held.
  void after_fork();

 private:
  template <class Done>
  void wait_until(std::chrono::steady_clock::time_point deadline,
                  const std::function<void()>& meanwhile,
                  Done done);

  std::atomic<bool> any_ = false;  // whether `judge` has to look
  std::list<rule> rules_;
  std::uint64_t clears_ = 0;
  std::uint64_t releases_ = 0;
  std::condition_variable changed_;
};

}  // namespace hsmtls::chaos
