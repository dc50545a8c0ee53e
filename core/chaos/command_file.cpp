#include "command_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>

#include "rules.hpp"

namespace hsmtls::chaos {
namespace {

std::uint64_t boil_down(const struct stat& info) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::uint64_t part : {static_cast<std::uint64_t>(info.st_ino),
                                   static_cast<std::uint64_t>(info.st_size),
                                   static_cast<std::uint64_t>(info.st_mtim.tv_sec),
                                   static_cast<std::uint64_t>(info.st_mtim.tv_nsec)}) {
    hash = (hash ^ part) * 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace

std::vector<command_file::line> command_file::new_lines() {
  struct stat info {};
  if (!followed() || stat(path_.c_str(), &info) != 0) return {};
  if (boil_down(info) == seen_.load(std::memory_order_acquire)) return {};

  const std::lock_guard lock(state_mutex);
  const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string added;
  if (fstat(file, &info) == 0) {
    if (info.st_ino != inode_ || info.st_size < offset_) {
      inode_ = info.st_ino;
      offset_ = 0;
      line_number_ = 0;
    }
    char buffer[4096];
    ssize_t got = 0;
    while ((got = pread(file, buffer, sizeof buffer, offset_ + static_cast<off_t>(added.size()))) >
           0) {
      added.append(buffer, static_cast<std::size_t>(got));
    }
    seen_.store(boil_down(info), std::memory_order_release);
  }
  close(file);

  std::vector<line> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = added.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(
        {path_ + ':' + std::to_string(++line_number_), added.substr(begin, end - begin)});
  }
  offset_ += static_cast<off_t>(begin);
  return lines;
}

}  // namespace hsmtls::chaos
