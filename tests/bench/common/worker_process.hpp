// A worker (worker.hpp), as seen by the program that measures.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/common/bars.hpp"

namespace hsmtls::bench {

// Variables of the child; those not named are inherited.
using environment = std::map<std::string, std::string>;

// All functions throw std::runtime_error when the worker fails, hangs, or says so itself.
class worker_process {
 public:
  // Starts this program as a worker that is told `setup`. `launcher` is a command in front of the
  // worker's own (valgrind, setpriv), usually empty. Returns when the worker is ready.
  explicit worker_process(const json& setup,
                          const environment& extra = {},
                          const std::vector<std::string>& launcher = {});
  ~worker_process();
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;

  json ask(const json& request) {
    tell(request);
    return answer();
  }
  // `tell` and `answer` are the halves of `ask`, for those who have something to do in between.
  void tell(const json& request);
  json answer();

  // `finish` ends it; its exit status has to be 0.
  void finish();

 private:
  void abandon();
  void close_input();
  [[nodiscard]] std::string last_words() const;

  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::filesystem::path errors_;
  std::string unread_;
};

}  // namespace hsmtls::bench
