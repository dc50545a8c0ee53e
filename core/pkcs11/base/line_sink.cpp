#include "core/pkcs11/base/line_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>

#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::pkcs11 {
namespace {

// PIPE_BUF is 4096: up to there lines of several processes do not mix. Room is left for what is
// appended.
constexpr size_t longest_line = 4000;

// A reader that is gone must not end the program.
class no_sigpipe {
 public:
  no_sigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~no_sigpipe() {
    const timespec now{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

ssize_t write_to_pipe(int descriptor, std::string_view text) {
  // Between poll and write another thread may have filled it. Linux before 6.4 knows no such write
  // to a pipe; there it may wait for once.
  iovec piece{const_cast<char*>(text.data()), text.size()};
  const ssize_t written = pwritev2(descriptor, &piece, 1, -1, RWF_NOWAIT);
  if (written >= 0 || errno == EAGAIN || errno == EPIPE) return written;
  return ::write(descriptor, text.data(), text.size());
}

bool write_without_waiting(int descriptor, mode_t kind, std::string_view text) {
  if (S_ISREG(kind)) return ::write(descriptor, text.data(), text.size()) >= 0;
  pollfd ready{descriptor, POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT) return false;
  const no_sigpipe guard;
  if (S_ISSOCK(kind))
    return send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  if (S_ISFIFO(kind)) return write_to_pipe(descriptor, text) >= 0;
  return ::write(descriptor, text.data(), text.size()) >= 0;
}

}  // namespace

line_sink::line_sink(int descriptor, redirection allowed)
    : descriptor_(descriptor), allowed_(allowed) {
  struct stat now {};
  if (descriptor < 0 || fstat(descriptor, &now) != 0) {
    gone_ = true;
    return;
  }
  device_ = now.st_dev;
  inode_ = now.st_ino;
}

void line_sink::write(std::string line) {
  if (!is_open()) return;
  const int errno_before = errno;
  struct stat now {};
  const bool there = fstat(descriptor_, &now) == 0;
  const bool same = there && now.st_dev == device_ && now.st_ino == inode_;
  const bool may_write =
      same || (there && allowed_ == redirection::to_appended_file && S_ISREG(now.st_mode) &&
               (fcntl(descriptor_, F_GETFL) & O_APPEND) != 0);
  if (!may_write) {
    // What stderr is may change again; a descriptor of ours that was closed is lost.
    if (allowed_ == redirection::never) gone_ = true;
    errno = errno_before;
    return;
  }
  cut_to(line, longest_line);
  const uint64_t dropped = dropped_.exchange(0);
  if (dropped > 0) line += " dropped=" + std::to_string(dropped);
  line += '\n';
  if (!write_without_waiting(descriptor_, now.st_mode, line)) dropped_ += dropped + 1;
  errno = errno_before;
}

}  // namespace hsmtls::pkcs11
