#include "core/pkcs11/private/timekeeper.hpp"

#include "core/pkcs11/base/library_thread.hpp"
#include "core/pkcs11/runtime/per_process.hpp"

namespace hsmtls::pkcs11 {

timekeeper& timekeeper::current() {
  return per_process<timekeeper>([](runtime&) { return std::make_unique<timekeeper>(); });
}

void timekeeper::watch(const std::shared_ptr<async_signature>& one) {
  std::lock_guard held(mutex_);
  if (!started_) {
    if (!run_in_thread([this] { run(); })) throw no_thread();
    started_ = true;
  }
  const bool first = watched_.empty() || one->until() < watched_.begin()->first;
  watched_.emplace(one->until(), watched{one.get(), one});
  if (first) changed_.notify_one();
}

void timekeeper::forget(const async_signature& one) noexcept {
  std::lock_guard held(mutex_);
  const auto [first, last] = watched_.equal_range(one.until());
  for (auto at = first; at != last; ++at) {
    if (at->second.which != &one) continue;
    watched_.erase(at);
    return;
  }
}

void timekeeper::cancel(std::shared_ptr<async_signature> one) {
  std::lock_guard held(mutex_);
  cancelled_.push_back(std::move(one));
  changed_.notify_one();
}

void timekeeper::run() {
  std::unique_lock held(mutex_);
  for (;;) {
    if (cancelled_.empty()) {
      if (watched_.empty()) {
        changed_.wait(held);
      } else {
        // A copy: the map may change while we wait.
        const time_point next = watched_.begin()->first;
        changed_.wait_until(held, next);
      }
    }
    std::vector<std::shared_ptr<async_signature>> late;
    const auto due = watched_.upper_bound(steady::now());
    for (auto at = watched_.begin(); at != due; ++at) {
      if (auto one = at->second.alive.lock()) late.push_back(std::move(one));
    }
    watched_.erase(watched_.begin(), due);
    auto cancelled = std::move(cancelled_);
    cancelled_.clear();
    held.unlock();
    for (const auto& one : cancelled)
      one->give_up(failure(HSMTLS_P11_CANCELLED, "the signature was cancelled"));
    for (const auto& one : late) {
      one->give_up(failure(HSMTLS_P11_DEADLINE,
                           "the signature was not ready within its deadline; a slow token needs a "
                           "longer one (HSMTLS_DEADLINE_MS)"));
    }
    // Perhaps the last ones to know their keys: the end of a key is a logout, and must not keep
    // others beyond their deadlines.
    late.insert(late.end(), cancelled.begin(), cancelled.end());
    cancelled.clear();
    if (!late.empty()) run_in_thread([last = std::move(late)] { (void)last; });
    held.lock();
  }
}

}  // namespace hsmtls::pkcs11
