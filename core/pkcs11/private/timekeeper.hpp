// Ends asynchronous signatures at their deadline, or when they are cancelled, while C_Sign may
// still run.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/pkcs11/private/asynchronous.hpp"

namespace hsmtls::pkcs11 {

class timekeeper {
 public:
  static timekeeper& current();

  // `watch` ends `one` at its deadline. Throws NO_MEMORY if its thread cannot be started.
  void watch(const std::shared_ptr<async_signature>& one);
  // `forget` stops watching one that is finished.
  void forget(const async_signature& one) noexcept;
  // `cancel` ends it soon, on the timekeeper's thread.
  void cancel(std::shared_ptr<async_signature> one);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  struct watched {
    const async_signature* which;
    std::weak_ptr<async_signature> alive;
  };
  std::multimap<time_point, watched> watched_;
  std::vector<std::shared_ptr<async_signature>> cancelled_;
};

}  // namespace hsmtls::pkcs11
