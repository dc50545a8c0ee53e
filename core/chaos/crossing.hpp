// Who is inside the vendor, for drops that must not happen under a call.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace hsmtls::chaos {

class crossing {
 public:
  void set_quiet(bool quiet) { quiet_ = quiet; }

  // One call inside the vendor. Counted only if drops are quiet.
  class passage {
   public:
    explicit passage(crossing& over) : over_(over.quiet_ ? &over : nullptr) {
      if (over_ == nullptr) return;
      std::unique_lock held(over_->mutex_);
      over_->changed_.wait(held, [&] { return !over_->closed_; });
      ++over_->inside_;
    }
    ~passage() {
      if (over_ == nullptr) return;
      const std::lock_guard held(over_->mutex_);
      if (--over_->inside_ == 0) over_->changed_.notify_all();
    }
    passage(const passage&) = delete;
    passage& operator=(const passage&) = delete;

   private:
    crossing* over_;
  };

  // Nobody inside, and nobody comes in, as long as it lives. Not from within a passage.
  class closure {
   public:
    explicit closure(crossing& over) : over_(over.quiet_ ? &over : nullptr) {
      if (over_ == nullptr) return;
      std::unique_lock held(over_->mutex_);
      over_->changed_.wait(held, [&] { return !over_->closed_; });
      over_->closed_ = true;
      over_->changed_.wait(held, [&] { return over_->inside_ == 0; });
    }
    ~closure() {
      if (over_ == nullptr) return;
      const std::lock_guard held(over_->mutex_);
      over_->closed_ = false;
      over_->changed_.notify_all();
    }
    closure(const closure&) = delete;
    closure& operator=(const closure&) = delete;

   private:
    crossing* over_;
  };

 private:
  std::atomic<bool> quiet_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool closed_ = false;
};

}  // namespace hsmtls::chaos
