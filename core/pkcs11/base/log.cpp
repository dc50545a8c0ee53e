#include "core/pkcs11/base/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>

#include "core/pkcs11/base/configuration.hpp"

namespace hsmtls::pkcs11::log {
namespace {

int open_target() {
  const std::string& target = settings().log_target;
  if (target.empty()) return -1;
  if (target == "stderr") return STDERR_FILENO;
  return open(target.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int descriptor() {
  static const int once = open_target();
  return once;
}

// At load: a server drops its rights later, and a fork must not find another thread in here.
[[gnu::constructor]] void open_at_load() {
  if (descriptor() >= 0 || settings().log_target.empty()) return;
  const int why = errno;
  complain(fmt::format("HSMTLS_LOG: '{}' cannot be opened, so there is no log: {}",
                       settings().log_target,
                       why == ELOOP ? "it is a symbolic link" : std::strerror(why)));
}

void write_all(int fd, std::string_view text) {
  // A log that cannot be written must not disturb the program: a short write is not repeated.
  [[maybe_unused]] const auto written = write(fd, text.data(), text.size());
}

std::string timestamp() {
  // Not gmtime_r: glibc's takes the time zone's lock, which a child may inherit locked.
  using namespace std::chrono;
  const auto now = time_point_cast<microseconds>(system_clock::now());
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const hh_mm_ss time(now - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     time.hours().count(),
                     time.minutes().count(),
                     time.seconds().count(),
                     time.subseconds().count());
}

constexpr std::string_view name_of(level severity) {
  switch (severity) {
    case level::info:
      return "info";
    case level::warning:
      return "warning";
    case level::error:
      return "error";
  }
  return "error";
}

}  // namespace

bool enabled() {
  return descriptor() >= 0;
}

namespace detail {

void write_line(level severity, std::string_view event, std::string_view fields) {
  write_all(descriptor(),
            fmt::format("{} {} {}{}\n", timestamp(), name_of(severity), event, fields));
}

void append(std::string& line, std::string_view key, std::string_view value) {
  line += ' ';
  line += key;
  line += '=';
  if (!value.empty() && value.find_first_of(" \t\r\n\"=\\") == std::string_view::npos) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    // One event is one line, whatever a token's label holds.
    if (static_cast<unsigned char>(c) < 0x20) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      continue;
    }
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

void append(std::string& line, std::string_view key, double value) {
  append(line, key, fmt::format("{:.3f}", value));
}

}  // namespace detail

namespace {
// Fingerprints of what was said; 0: free. A set-up that complains more often than this may repeat
// itself.
std::array<std::atomic<uint64_t>, 64> said{};

bool said_before(std::string_view sentence) {
  const uint64_t mark = std::hash<std::string_view>()(sentence) | 1;
  for (auto& one : said) {
    uint64_t nothing = 0;
    if (one.compare_exchange_strong(nothing, mark)) return false;
    if (nothing == mark) return true;
  }
  return false;
}
}  // namespace

void complain(std::string_view sentence) {
  if (said_before(sentence)) return;
  if (enabled()) event(level::error, "setup", "problem", sentence);
  if (descriptor() != STDERR_FILENO)
    write_all(STDERR_FILENO, fmt::format("hsmtls: {}\n", sentence));
}

}  // namespace hsmtls::pkcs11::log
