// What is said on stderr while a test looks. Unlike GoogleTest's own, the file is one that is
// appended to, as a server's log file is: the module writes to no other that has taken stderr's
// place.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace hsmtls::test {

class captured_stderr {
 public:
  captured_stderr() {
    std::string name = std::string(HSMTLS_TEST_SCRATCH) + "/stderr.XXXXXX";
    const int made = mkostemp(name.data(), O_APPEND | O_CLOEXEC);
    path_ = name;
    dup2(made, STDERR_FILENO);
    close(made);
  }
  ~captured_stderr() { stop(); }
  captured_stderr(const captured_stderr&) = delete;
  captured_stderr& operator=(const captured_stderr&) = delete;

  // `stop` gives stderr back and returns what was said until the first call.
  std::string stop() {
    if (before_ < 0) return text_;
    dup2(before_, STDERR_FILENO);
    close(before_);
    before_ = -1;
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    text_ = out.str();
    std::filesystem::remove(path_);
    return text_;
  }

 private:
  int before_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  std::string path_;
  std::string text_;
};

}  // namespace hsmtls::test
