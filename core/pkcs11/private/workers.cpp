#include "core/pkcs11/private/workers.hpp"

#include <algorithm>
#include <map>

#include "core/pkcs11/base/library_thread.hpp"
#include "core/pkcs11/runtime/per_process.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr std::chrono::seconds longest_idle{10};

struct all_workers {
  std::mutex mutex;
  std::map<const token*, std::shared_ptr<workers>> by_token;
};

}  // namespace

void workers::submit(std::shared_ptr<async_signature> one) {
  // More than the token has sessions would only wait for one.
  token* const signs = one->with().token_if_bound();
  const size_t useful = signs != nullptr ? std::min(most, signs->usable_sessions()) : most;
  std::unique_lock held(mutex_);
  queue_.push_back(one);
  if (idle_ >= queue_.size() || threads_ >= useful) {
    held.unlock();
    changed_.notify_one();
    return;
  }
  ++threads_;
  held.unlock();
  if (run_in_thread([self = shared_from_this()] { self->work(); })) return;
  held.lock();
  --threads_;
  if (threads_ > 0) return;  // the others will come to it
  std::erase(queue_, one);
  throw no_thread();
}

void workers::forget(const async_signature& one) noexcept {
  std::shared_ptr<async_signature> dropped;  // let go of without the lock
  std::lock_guard held(mutex_);
  const auto at = std::find_if(
      queue_.begin(), queue_.end(), [&](const auto& each) { return each.get() == &one; });
  if (at == queue_.end()) return;
  dropped = std::move(*at);
  queue_.erase(at);
}

void workers::work() {
  std::unique_lock held(mutex_);
  for (;;) {
    ++idle_;
    const bool woken = changed_.wait_for(held, longest_idle, [&] { return !queue_.empty(); });
    --idle_;
    if (!woken) break;
    auto one = std::move(queue_.front());
    queue_.pop_front();
    held.unlock();
    one->run();
    // Perhaps the last one to know the key: its end is a logout, and takes its time.
    one.reset();
    held.lock();
  }
  --threads_;
}

workers& workers_of(const token& which) {
  auto& all = per_process<all_workers>([](runtime&) { return std::make_unique<all_workers>(); });
  std::lock_guard held(all.mutex);
  auto& found = all.by_token[&which];
  if (found == nullptr) found = std::make_shared<workers>();
  return *found;
}

}  // namespace hsmtls::pkcs11
