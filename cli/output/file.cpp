#include "cli/output/file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {
namespace {

constexpr size_t most = size_t{1} << 20U;

struct closed {
  void operator()(FILE* file) const { std::fclose(file); }
};

problem cannot(const char* what_to, const std::string& what, const std::string& path) {
  return {HSMTLS_FILE_UNREADABLE,
          fmt::format("cannot {} {} '{}': {}", what_to, what, path, std::strerror(errno))};
}

}  // namespace

std::string read_file(const std::string& path, const std::string& what) {
  const std::unique_ptr<FILE, closed> file(std::fopen(path.c_str(), "re"));
  if (!file) throw cannot("read", what, path);
  std::string text;
  std::array<char, 16384> piece{};
  while (const size_t got = std::fread(piece.data(), 1, piece.size(), file.get())) {
    text.append(piece.data(), got);
    if (text.size() > most) {
      errno = EFBIG;
      throw cannot("read", what, path);
    }
  }
  if (std::ferror(file.get()) != 0) throw cannot("read", what, path);
  return text;
}

void write_file(const std::string& path, const std::string& text) {
  std::unique_ptr<FILE, closed> file(std::fopen(path.c_str(), "we"));
  if (!file) throw cannot("write", "the file", path);
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
  // What was buffered may fail only now: a full disk.
  if (std::fclose(file.release()) != 0 || !written) throw cannot("write", "the file", path);
}

}  // namespace hsmtls::cli
