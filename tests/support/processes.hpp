// Other processes in tests: programs that are started, children that are forked; never waited for
// without a limit.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace hsmtls::test {

// How a process ended.
struct ending {
  int exit_status = -1;  // -1: it did not exit by itself
  int signal = 0;        // that ended it; SIGKILL also when its time was up
  bool timed_out = false;
  std::string output;  // stdout and stderr of a program
  std::chrono::milliseconds took{0};

  [[nodiscard]] bool fine() const { return exit_status == 0; }
};
std::ostream& operator<<(std::ostream& out, const ending& one);

// `run_program` runs a program with this process's environment and `changes` to it (an empty value
// removes a variable), for at most `limit`.
ending run_program(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& changes = {},
                   std::chrono::milliseconds limit = std::chrono::seconds(30));

// `child` is a forked child of this process that runs `body` and leaves by _exit with its result.
class child {
 public:
  explicit child(const std::function<int()>& body);
  ~child();  // kills it if nobody waited for it
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  ending wait(std::chrono::milliseconds limit = std::chrono::seconds(30));

 private:
  pid_t id_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// `expectations` runs a child's body that uses EXPECT_…: 1 if any failed in it.
int expectations(const std::function<void()>& body);

}  // namespace hsmtls::test
