// The workers of a token: started when there is work and nobody free, gone after a while without
// any.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "core/pkcs11/private/asynchronous.hpp"

namespace hsmtls::pkcs11 {

class workers : public std::enable_shared_from_this<workers> {
 public:
  // No token in sight signs faster with more.
  static constexpr size_t most = 16;

  // `submit` queues one signature. Throws NO_MEMORY if there is no worker and none can be started.
  void submit(std::shared_ptr<async_signature> one);
  // `forget` drops one that still waits for a worker.
  void forget(const async_signature& one) noexcept;

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<async_signature>> queue_;
  size_t threads_ = 0;
  size_t idle_ = 0;
};

// `workers_of` returns the workers of a token in this process.
workers& workers_of(const token& which);

}  // namespace hsmtls::pkcs11
