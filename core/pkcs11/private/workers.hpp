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
  // More would wait for sessions: no token in sight signs faster with more.
  static constexpr int most = 16;

  // `submit` queues one signature. Throws NO_MEMORY if there is no worker and none can be started.
  void submit(std::shared_ptr<async_signature> one);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<async_signature>> queue_;
  int threads_ = 0;
  int idle_ = 0;
};

// `workers_of` returns the workers of a token in this process.
workers& workers_of(const token& which);

}  // namespace hsmtls::pkcs11
