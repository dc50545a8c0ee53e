#include "rules.hpp"

#include <new>

namespace hsmtls::chaos {

void rule_set::add(const rule& added) {
  const std::lock_guard lock(state_mutex);
  rules_.push_back(added);
  any_ = true;
}

void rule_set::clear() {
  const std::lock_guard lock(state_mutex);
  rules_.clear();
  any_ = false;
  ++clears_;
  ++releases_;
  changed_.notify_all();
}

void rule_set::release() {
  const std::lock_guard lock(state_mutex);
  ++releases_;
  changed_.notify_all();
}

verdict rule_set::judge(function_id called) {
  verdict decided;
  if (!any_) return decided;
  const std::lock_guard lock(state_mutex);
  decided.clears = clears_;
  decided.releases = releases_;
  for (rule& each : rules_) {
    if (each.function ? *each.function != called : returns_lists(called)) continue;
    if (!each.which.covers(++each.seen)) continue;
    switch (each.what) {
      case effect::fail:
        if (!decided.instead) decided.instead = each.value;
        break;
      case effect::fail_after:
        if (!decided.afterwards) decided.afterwards = each.value;
        break;
      case effect::delay:
        decided.sleep += each.sleep;
        break;
      case effect::hang:
        decided.hang = true;
        break;
      case effect::drop_sessions:
        decided.drop_sessions = true;
        break;
    }
  }
  return decided;
}

template <class Done>
void rule_set::wait_until(std::chrono::steady_clock::time_point deadline,
                          const std::function<void()>& meanwhile,
                          Done done) {
  std::unique_lock lock(state_mutex);
  while (!done()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) return;
    // A program that does nothing but hang makes no calls, yet has to see `release` in its file.
    const auto slice = now + std::chrono::milliseconds(5);
    changed_.wait_until(lock, meanwhile && slice < deadline ? slice : deadline);
    if (!meanwhile) continue;
    lock.unlock();
    meanwhile();
    lock.lock();
  }
}

void rule_set::wait(const verdict& decided, const std::function<void()>& meanwhile) {
  const auto now = std::chrono::steady_clock::now();
  if (decided.sleep.count() != 0) {
    wait_until(now + decided.sleep, meanwhile, [&] { return clears_ != decided.clears; });
  }
  if (decided.hang) {
    // time_point::max() would overflow in the conversion to a timespec.
    constexpr auto for_ever = std::chrono::hours(24 * 365);
    wait_until(now + for_ever, meanwhile, [&] { return releases_ != decided.releases; });
  }
}

void rule_set::after_fork() {
  // The parent's waiters are not here to be woken, and glibc would wait for them.
  new (&changed_) std::condition_variable;
}

}  // namespace hsmtls::chaos
