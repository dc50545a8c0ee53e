#include "cli/pin/source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>  // secure_getenv
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/library/problem.hpp"
#include "core/pkcs11/uri/pin_source.hpp"

namespace hsmtls::cli {
namespace {

struct descriptor {
  explicit descriptor(int opened) : number(opened) {}
  ~descriptor() {
    if (number >= 0) close(number);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  const int number;
};

secret read_file(const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    return problem(HSMTLS_PIN_SOURCE,
                   fmt::format("the PIN file '{}' cannot be read: {}", path, why));
  };
  // Not blocking: a FIFO without a writer would hang the opener for ever.
  const descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.number < 0 || fstat(file.number, &status) != 0) throw cannot(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw cannot("it is not a regular file");
  secret pin;
  size_t length = 0;
  while (length < secret::capacity) {
    const ssize_t got = read(file.number, pin.room().data() + length, secret::capacity - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw cannot(std::strerror(errno));
    if (got == 0) break;
    length += static_cast<size_t>(got);
  }
  if (length > 0 && pin.room()[length - 1] == '\n') --length;
  if (length > secret::longest) throw cannot("it is too long for a PIN");
  if (length == 0) throw cannot("it is empty");
  pin.resize(length);
  return pin;
}

secret read_environment(const std::string& name) {
  const char* const value = secure_getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    throw problem(
        HSMTLS_PIN_SOURCE,
        fmt::format("the environment variable '{}' that should hold the PIN is not set", name));
  }
  secret pin;
  for (const char* one = value; *one != '\0'; ++one) {
    if (!pin.append(static_cast<uint8_t>(*one))) {
      throw problem(HSMTLS_PIN_SOURCE,
                    fmt::format("the environment variable '{}' is too long for a PIN", name));
    }
  }
  return pin;
}

secret read_credential(const std::string& name) {
  const char* const folder = secure_getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') {
    throw problem(HSMTLS_PIN_SOURCE,
                  fmt::format("the PIN should be the systemd credential '{}', but "
                              "CREDENTIALS_DIRECTORY is not set: add LoadCredential= or "
                              "LoadCredentialEncrypted= to the unit",
                              name));
  }
  return read_file(std::string(folder) + "/" + name);
}

}  // namespace

secret read_pin_source(const std::string& source) {
  const pkcs11::pin_location_result parsed = pkcs11::parse_pin_source(source);
  // Its sentence does not show the source: somebody may have given the PIN itself.
  if (!parsed.value)
    throw problem(HSMTLS_PIN_SOURCE, "the PIN source is not usable: " + parsed.problem);
  switch (parsed.value->where) {
    case pkcs11::pin_location::kind::environment:
      return read_environment(parsed.value->name);
    case pkcs11::pin_location::kind::credential:
      return read_credential(parsed.value->name);
    case pkcs11::pin_location::kind::file:
      break;
  }
  return read_file(parsed.value->name);
}

std::optional<std::string> configured_pin_source(const globals& all) {
  if (!all.pin_source.empty()) return all.pin_source;
  const char* const configured = secure_getenv("HSMTLS_PIN_SOURCE");
  if (configured != nullptr && *configured != '\0') return configured;
  return std::nullopt;
}

}  // namespace hsmtls::cli
