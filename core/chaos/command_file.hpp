// HSMTLS_CHAOS_FILE: commands that are appended to a file while the program runs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace hsmtls::chaos {

class command_file {
 public:
  struct line {
    std::string where;  // "FILE:7"
    std::string text;
  };

  void follow(std::string path) { path_ = std::move(path); }
  bool followed() const { return !path_.empty(); }

  // `new_lines` returns the complete lines that were added since the last call; costs one stat() if
  // there are none. A file that was replaced or cut is read from its beginning.
  std::vector<line> new_lines();

 private:
  std::string path_;
  std::atomic<std::uint64_t> seen_{0};  // what stat() said, boiled down
  ino_t inode_ = 0;
  off_t offset_ = 0;
  unsigned line_number_ = 0;
};

}  // namespace hsmtls::chaos
