#include "cli/terminal/spinner.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>

namespace hsmtls::cli {

spinner::spinner(std::string doing) : doing_(std::move(doing)) {
  if (isatty(STDERR_FILENO) == 1) thread_ = std::thread(&spinner::turn, this);
}

spinner::~spinner() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void spinner::turn() {
  using namespace std::chrono_literals;
  static constexpr std::array frames{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  std::unique_lock lock(mutex_);
  const auto is_over = [this] { return over_; };
  if (changed_.wait_for(lock, 1s, is_over)) return;
  for (size_t frame = 0; !over_; frame = (frame + 1) % frames.size()) {
    fmt::print(stderr, "\r{} {} ", frames[frame], doing_);
    std::fflush(stderr);
    changed_.wait_for(lock, 100ms, is_over);
  }
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace hsmtls::cli
