#include "cli/pin/source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>  // secure_getenv
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {
namespace {

secret read_file(const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    return problem(HSMTLS_PIN_SOURCE,
                   fmt::format("the PIN file '{}' cannot be read: {}", path, why));
  };
  if (path.empty() || path[0] != '/') throw cannot("the path is not absolute");
  // Not blocking: a FIFO without a writer would hang the opener for ever.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) throw cannot(std::strerror(errno));
  secret pin;
  size_t length = 0;
  ssize_t got = 1;
  while (got > 0 && length < secret::capacity) {
    do {
      got = read(file, pin.room().data() + length, secret::capacity - length);
    } while (got < 0 && errno == EINTR);
    length += static_cast<size_t>(std::max<ssize_t>(got, 0));
  }
  const int error = got < 0 ? errno : 0;
  close(file);
  if (error != 0) throw cannot(std::strerror(error));
  if (length == secret::capacity) throw cannot("it is too long for a PIN");
  if (length > 0 && pin.room()[length - 1] == '\n') --length;
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
  const auto after = [&](std::string_view prefix) -> std::optional<std::string> {
    if (source.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
    return source.substr(prefix.size());
  };
  if (const auto path = after("file://")) return read_file(*path);
  if (const auto path = after("file:")) return read_file(*path);
  if (const auto name = after("env:")) return read_environment(*name);
  if (const auto name = after("credential:")) return read_credential(*name);
  if (after("/")) return read_file(source);
  // Not shown: somebody may have given the PIN itself.
  throw problem(HSMTLS_PIN_SOURCE,
                "the source of the PIN is neither file:…, env:… nor credential:…. A PIN itself is "
                "never given on the command line");
}

std::optional<std::string> configured_pin_source(const globals& all) {
  if (!all.pin_source.empty()) return all.pin_source;
  const char* const configured = secure_getenv("HSMTLS_PIN_SOURCE");
  if (configured != nullptr && *configured != '\0') return configured;
  return std::nullopt;
}

}  // namespace hsmtls::cli
