#include "core/pkcs11/private/workers.hpp"

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
  std::unique_lock held(mutex_);
  queue_.push_back(one);
  if (idle_ >= static_cast<int>(queue_.size()) || threads_ >= most) {
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

void workers::work() {
  std::unique_lock held(mutex_);
  for (;;) {
    ++idle_;
    const bool woken = changed_.wait_for(held, longest_idle, [&] { return !queue_.empty(); });
    --idle_;
    if (!woken) break;
    const auto one = std::move(queue_.front());
    queue_.pop_front();
    held.unlock();
    one->run();
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
