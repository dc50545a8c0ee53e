#include "cli/tls/socket.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {
namespace {

bool wait_for(int number, short what, time_point until) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd one{number, what, 0};
    const int ready = poll(&one, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return true;  // the read or write that follows says what is wrong
  }
}

// An address that answers nothing must leave time for the others: each has its share of what is left.
time_point share_of(time_point until, const addrinfo* left) {
  int number = 0;
  for (; left != nullptr; left = left->ai_next) ++number;
  const time_point now = std::chrono::steady_clock::now();
  return now + (until - now) / number;
}

// 0: connected; else an errno.
int try_one(int number, const addrinfo& to, time_point until) {
  if (connect(number, to.ai_addr, to.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!wait_for(number, POLLOUT, until)) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

}  // namespace

tcp_socket::tcp_socket(const address& to, time_point until) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int unknown = getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &found);
  if (unknown != 0) {
    throw problem(HSMTLS_CONNECTION_LOST,
                  fmt::format("the host '{}' is not known: {}. Check its name and the DNS",
                              to.host,
                              gai_strerror(unknown)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* one = found; one != nullptr && number_ < 0; one = one->ai_next) {
    const int number =
        socket(one->ai_family, one->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, one->ai_protocol);
    error = number < 0 ? errno : try_one(number, *one, share_of(until, one));
    if (error == 0) {
      number_ = number;
    } else if (number >= 0) {
      close(number);
    }
  }
  if (number_ >= 0) return;
  throw problem(error == ETIMEDOUT ? HSMTLS_DEADLINE : HSMTLS_CONNECTION_LOST,
                fmt::format("cannot connect to {} port {}: {}. Check that the server runs there",
                            to.host,
                            to.port,
                            std::strerror(error)));
}

tcp_socket::~tcp_socket() {
  if (number_ >= 0) close(number_);
}

bool tcp_socket::wait_readable(time_point until) const {
  return wait_for(number_, POLLIN, until);
}

bool tcp_socket::wait_writable(time_point until) const {
  return wait_for(number_, POLLOUT, until);
}

}  // namespace hsmtls::cli
