// A descriptor in somebody else's program that lines go to: never waited for, and never written to
// once it has become something else.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace hsmtls::pkcs11 {

class line_sink {
 public:
  // What else the descriptor may become while the process runs.
  enum class redirection {
    never,            // it is ours; who closes it and gets its number back means something else
    to_appended_file  // stderr: a server may put its own log file there (nginx does)
  };

  // Remembers what `descriptor` is now, as (device, inode). -1: nothing is ever written.
  line_sink(int descriptor, redirection allowed);
  line_sink(const line_sink&) = delete;
  line_sink& operator=(const line_sink&) = delete;

  // `is_open` tells whether there was something to write to, and still is as far as is known.
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0 && !gone_; }

  // `write` writes one line, without its newline, by one system call; what is longer than a pipe
  // takes in one piece is cut. A line that would have to wait (a pipe that nobody reads, a stopped
  // terminal) is dropped, and the next one that gets through ends in " dropped=N". Leaves errno
  // alone and raises no SIGPIPE. Any thread.
  void write(std::string line);

 private:
  const int descriptor_;
  const redirection allowed_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::atomic<bool> gone_{false};
  std::atomic<uint64_t> dropped_{0};
};

}  // namespace hsmtls::pkcs11
