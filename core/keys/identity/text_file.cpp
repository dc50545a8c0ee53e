#include "core/keys/identity/text_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/keys/failure.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::keys {
namespace {

constexpr size_t most = size_t{1} << 20U;

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void refuse(const std::string& sentence, int error) {
  throw failure(HSMTLS_FILE_UNREADABLE, sentence + ": " + std::strerror(error));
}

}  // namespace

std::string read_text_file(const std::string& path, std::string_view what) {
  const std::string name = std::string(what) + " " + pkcs11::quoted_path(path);
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) refuse("cannot read " + name, errno);
  std::string text;
  std::array<char, 16384> piece{};
  for (;;) {
    const ssize_t got = ::read(file.number(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse("cannot read " + name, errno);
    if (got == 0) return text;
    text.append(piece.data(), static_cast<size_t>(got));
    if (text.size() > most) refuse("cannot read " + name, EFBIG);
  }
}

void write_text_file(const std::string& path, std::string_view text) {
  const std::string name = pkcs11::quoted_path(path);
  std::string temporary = path + ".XXXXXX";
  const descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.number() < 0) refuse("cannot write " + name, errno);
  const auto give_up = [&] {
    const int error = errno;
    ::unlink(temporary.c_str());
    refuse("cannot write " + name, error);
  };
  while (!text.empty()) {
    const ssize_t put = ::write(file.number(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) give_up();
    text.remove_prefix(static_cast<size_t>(put));
  }
  if (::fchmod(file.number(), 0640) != 0 || ::fsync(file.number()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    give_up();
  }
}

}  // namespace hsmtls::keys
