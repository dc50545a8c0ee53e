// A TCP connection that waits for nobody for ever.
#pragma once

#include <chrono>

#include "cli/tls/address.hpp"

namespace hsmtls::cli {

using time_point = std::chrono::steady_clock::time_point;

class tcp_socket {
 public:
  // Throws problem: CONNECTION_LOST, DEADLINE.
  tcp_socket(const address& to, time_point until);
  ~tcp_socket();
  tcp_socket(const tcp_socket&) = delete;
  tcp_socket& operator=(const tcp_socket&) = delete;

  [[nodiscard]] int number() const { return number_; }
  // `wait` returns false when the time is up.
  [[nodiscard]] bool wait_readable(time_point until) const;
  [[nodiscard]] bool wait_writable(time_point until) const;

 private:
  int number_ = -1;
};

}  // namespace hsmtls::cli
