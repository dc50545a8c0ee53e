#include "cli/terminal/prompt.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace hsmtls::cli {
namespace {

class terminal {
 public:
  terminal() : number_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}
  ~terminal() {
    if (number_ >= 0) close(number_);
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  [[nodiscard]] bool is_there() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }
  void say(const std::string& text) const {
    // A terminal that does not take it will not answer, either.
    (void)!write(number_, text.data(), text.size());
  }

 private:
  int number_;
};

volatile sig_atomic_t caught = 0;
void note(int signal) {
  caught = signal;
}

// While it lives, signals that would leave the terminal without echo are held back, but where
// `wait_for` lets them in: one that came a moment before is not missed.
class signals_noted {
 public:
  signals_noted() {
    caught = 0;
    struct sigaction noting {};
    noting.sa_handler = note;
    sigset_t held;
    sigemptyset(&held);
    for (size_t i = 0; i < which.size(); ++i) {
      sigaction(which[i], &noting, &before_[i]);
      sigaddset(&held, which[i]);
    }
    pthread_sigmask(SIG_BLOCK, &held, &mask_before_);
  }
  ~signals_noted() {
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    for (size_t i = 0; i < which.size(); ++i) sigaction(which[i], &before_[i], nullptr);
  }
  signals_noted(const signals_noted&) = delete;
  signals_noted& operator=(const signals_noted&) = delete;

  // False: a signal came before there was anything to read.
  [[nodiscard]] bool wait_for(int number) const {
    pollfd readable{number, POLLIN, 0};
    while (ppoll(&readable, 1, nullptr, &mask_before_) < 0 && errno == EINTR) {
      if (caught != 0) return false;
    }
    return true;
  }

 private:
  static constexpr std::array which{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
  std::array<struct sigaction, which.size()> before_{};
  sigset_t mask_before_{};
};

class no_echo {
 public:
  explicit no_echo(const terminal& on) : on_(on) {
    if (tcgetattr(on_.number(), &before_) != 0) return;
    termios without = before_;
    without.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    changed_ = tcsetattr(on_.number(), TCSAFLUSH, &without) == 0;
  }
  ~no_echo() {
    if (!changed_) return;
    tcsetattr(on_.number(), TCSAFLUSH, &before_);
    on_.say("\n");  // the one that was typed was not shown
  }
  no_echo(const no_echo&) = delete;
  no_echo& operator=(const no_echo&) = delete;
  [[nodiscard]] bool is_in_effect() const { return changed_; }

 private:
  const terminal& on_;
  termios before_{};
  bool changed_ = false;
};

enum class ended { by_newline, by_end_of_file, by_signal };

// Reads up to a newline. `take` gets each byte, `wait` waits for one: false: a signal came first.
template <class Wait, class Take>
ended read_line(const terminal& from, Wait wait, Take take) {
  for (;;) {
    if (!wait()) return ended::by_signal;
    char byte = 0;
    const ssize_t got = read(from.number(), &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ended::by_end_of_file;
    if (byte == '\n' || byte == '\r') return ended::by_newline;
    take(byte);
  }
}

}  // namespace

bool has_terminal() {
  return terminal().is_there();
}

std::optional<secret> ask_secret(const std::string& question) {
  const terminal on;
  if (!on.is_there()) return std::nullopt;
  for (;;) {
    secret typed;
    bool fits = true;
    ended how = ended::by_end_of_file;
    {
      const signals_noted noting;
      const no_echo silent(on);
      if (!silent.is_in_effect()) return std::nullopt;
      on.say(question);
      how = read_line(
          on,
          [&] { return noting.wait_for(on.number()); },
          [&](char byte) { fits = typed.append(static_cast<uint8_t>(byte)) && fits; });
    }
    if (how == ended::by_signal) {
      // Now as it would have been without us; who was only stopped is asked again.
      (void)raise(caught);
      continue;
    }
    if (how == ended::by_newline && fits) return typed;
    return std::nullopt;
  }
}

std::optional<std::string> ask_line(const std::string& question) {
  const terminal on;
  if (!on.is_there()) return std::nullopt;
  on.say(question);
  std::string typed;
  if (read_line(
          on, [] { return true; }, [&](char byte) { typed += byte; }) != ended::by_newline)
    return std::nullopt;
  return typed;
}

}  // namespace hsmtls::cli
