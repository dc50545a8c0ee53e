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
#include "core/pkcs11/base/line_sink.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::pkcs11::log {
namespace {

// Opened at load and never destroyed: threads may still log while the process exits.
line_sink& standard_error() {
  static line_sink& once = *new line_sink(STDERR_FILENO, line_sink::redirection::to_appended_file);
  return once;
}

int open_target(const std::string& path) {
  // Nothing here may wait: a FIFO that nobody reads is an error, and stays one that nobody waits
  // for. A symbolic link in a folder that others may write to could lead anywhere.
  const int made =
      open(path.c_str(),
           O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
           0600);
  if (made < 0 || made > STDERR_FILENO) return made;
  // A program that was started without stdin, stdout or stderr must not take the log for them.
  const int higher = fcntl(made, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  close(made);
  return higher;
}

bool is_standard_error(const std::string& name) {
  return name == "stderr" || name == "/dev/stderr";
}

line_sink& target() {
  static line_sink& once = []() -> line_sink& {
    const std::string& name = settings().log_target;
    if (is_standard_error(name)) return standard_error();
    return *new line_sink(name.empty() ? -1 : open_target(name), line_sink::redirection::never);
  }();
  return once;
}

std::string_view why_not_opened(int error) {
  switch (error) {
    case ELOOP:
      return "it is a symbolic link";
    case ENXIO:
      return "nobody reads from it";
    default:
      return std::strerror(error);
  }
}

// At load: a server drops its rights later, and a fork must not find another thread in here.
[[gnu::constructor]] void open_at_load() {
  standard_error();
  errno = 0;
  if (target().is_open() || settings().log_target.empty()) return;
  complain(fmt::format("HSMTLS_LOG: {} cannot be opened, so there is no log: {}",
                       quoted_path(settings().log_target),
                       why_not_opened(errno)));
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
  return target().is_open();
}

namespace detail {

void write_line(level severity, std::string_view event, std::string_view fields) {
  target().write(fmt::format("{} {} {}{}", timestamp(), name_of(severity), event, fields));
}

void append(std::string& line, std::string_view key, std::string_view value) {
  line += ' ';
  line += key;
  line += '=';
  // One event is one line, and none that a terminal obeys, whatever a token's label holds.
  const std::string shown = escaped(value, "\"\\");
  const bool plain =
      !value.empty() && shown == value && value.find_first_of(" =") == std::string_view::npos;
  line += plain ? shown : '"' + shown + '"';
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

void event_of(level severity, std::string_view name, std::span<const char* const> fields) {
  if (!enabled()) return;
  std::string line;
  for (size_t i = 0; i < fields.size(); i += 2) {
    const bool valued = i + 1 < fields.size() && fields[i + 1] != nullptr;
    if (fields[i] != nullptr) detail::append(line, escaped(fields[i]), valued ? fields[i + 1] : "");
  }
  detail::write_line(severity, escaped(name), line);
}

void complain(std::string_view sentence) {
  if (said_before(sentence)) return;
  if (enabled()) event(level::error, "setup", "problem", sentence);
  if (&target() != &standard_error())
    standard_error().write(fmt::format("hsmtls: {}", escaped(sentence)));
}

}  // namespace hsmtls::pkcs11::log
