#include "core/pkcs11/private/pin_provider.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr size_t longest_pin = 1024;

// What the environment said about PINs when the library was loaded: a web server's workers lose
// their environment.
struct environment {
  std::string credentials_directory;     // CREDENTIALS_DIRECTORY of systemd.exec(5)
  std::optional<secret> configured_pin;  // where HSMTLS_PIN_SOURCE is env:…
};

std::optional<secret> read_configured_environment();

const environment& at_load() {
  // Never destroyed: threads may still be inside while exit() runs destructors.
  static const environment& once = *[] {
    auto* read = new environment;
    const char* folder = secure_getenv("CREDENTIALS_DIRECTORY");
    if (folder != nullptr) read->credentials_directory = folder;
    read->configured_pin = read_configured_environment();
    return read;
  }();
  return once;
}

[[gnu::constructor]] void read_environment_at_load() {
  at_load();
}

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() {
    if (number_ >= 0) close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

secret read_file(const std::string& path) {
  const auto cannot = [&](const char* why) {
    return failure(HSMTLS_P11_PIN_SOURCE,
                   "the PIN file " + quoted_path(path) + " cannot be read: " + why);
  };
  // Not blocking: a FIFO without a writer would hang the opener for ever.
  const descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) throw cannot(std::strerror(errno));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) throw cannot(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw cannot("it is not a regular file");
  std::array<uint8_t, longest_pin + 2> buffer{};
  size_t length = 0;
  while (length < buffer.size()) {
    const ssize_t got = read(file.get(), buffer.data() + length, buffer.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw cannot(std::strerror(errno));
    if (got == 0) break;
    length += static_cast<size_t>(got);
  }
  if (length > 0 && buffer[length - 1] == '\n') --length;
  if (length > longest_pin) throw cannot("it is too long for a PIN");
  if (length == 0) throw cannot("it is empty");
  secret pin({buffer.data(), length});
  explicit_bzero(buffer.data(), buffer.size());
  return pin;
}

secret read_environment(const std::string& name) {
  const char* value = secure_getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    throw failure(
        HSMTLS_P11_PIN_SOURCE,
        "the environment variable " + quoted_name(name) + " that should hold the PIN is not set");
  }
  return secret({reinterpret_cast<const uint8_t*>(value), std::strlen(value)});
}

secret read_credential(const std::string& name) {
  const std::string& folder = at_load().credentials_directory;
  if (folder.empty()) {
    throw failure(HSMTLS_P11_PIN_SOURCE,
                  "the PIN should be the systemd credential " + quoted_name(name) +
                      ", but CREDENTIALS_DIRECTORY is not set: add LoadCredential= or "
                      "LoadCredentialEncrypted= to the unit");
  }
  return read_file(folder + "/" + name);
}

std::optional<secret> read_configured_environment() {
  const auto configured = parse_pin_source(settings().pin_source);
  if (!configured.value || configured.value->where != pin_location::kind::environment) return {};
  const char* value = secure_getenv(configured.value->name.c_str());
  if (value == nullptr || *value == '\0') return {};
  return secret({reinterpret_cast<const uint8_t*>(value), std::strlen(value)});
}

pin_location location_of(std::string_view text) {
  auto parsed = parse_pin_source(text);
  if (!parsed.value)
    throw failure(HSMTLS_P11_PIN_SOURCE, "the PIN source is not usable: " + parsed.problem);
  return *std::move(parsed.value);
}

}  // namespace

secret read_pin_at(const pin_location& where) {
  switch (where.where) {
    case pin_location::kind::file:
      return read_file(where.name);
    case pin_location::kind::environment:
      return read_environment(where.name);
    case pin_location::kind::credential:
      return read_credential(where.name);
  }
  throw failure(HSMTLS_P11_INTERNAL, "unknown kind of PIN source");
}

pin_provider::pin_provider(const uri& from, const hsmtls_p11_login* login) {
  forget_ = login != nullptr && login->forget_pin != 0;
  insist_ = login != nullptr && login->insist != 0;
  if (from.pin_value) {
    const auto text = from.pin_value->view();
    value_ = secret({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    log::event(log::level::warning,
               "pin-in-uri",
               "advice",
               "use pin-source: a URI ends up in logs and process lists");
  } else if (from.pin_source) {
    location_ = from.pin_source;
  } else if (login != nullptr && login->pin != nullptr) {
    value_ = secret({login->pin, login->pin_len});
  } else if (login != nullptr && login->pin_callback != nullptr) {
    callback_ = login->pin_callback;
    callback_user_ = login->pin_user;
  } else if (login != nullptr && login->pin_source != nullptr) {
    location_ = location_of(login->pin_source);
  } else if (const auto& pin = at_load().configured_pin) {
    value_ = secret(pin->bytes());
  } else if (!settings().pin_source.empty()) {
    location_ = location_of(settings().pin_source);
  }
}

bool pin_provider::usable() const {
  return (opening_ || accepted_) && (value_ || location_ || callback_ != nullptr);
}

std::optional<secret> pin_provider::get(const std::string& token_label) {
  if (!value_ && location_ && location_->where == pin_location::kind::environment) {
    // Kept like a value: a web server's workers lose their environment.
    value_ = read_pin_at(*location_);
    location_.reset();
  }
  if (value_) return secret(value_->bytes());
  if (location_) return read_pin_at(*location_);
  if (callback_ == nullptr) return std::nullopt;
  std::array<uint8_t, longest_pin> buffer{};
  const int32_t length =
      callback_(callback_user_, token_label.c_str(), buffer.data(), buffer.size());
  if (length < 0 || static_cast<size_t>(length) > buffer.size()) return std::nullopt;
  secret pin({buffer.data(), static_cast<size_t>(length)});
  explicit_bzero(buffer.data(), buffer.size());
  // What the callback gave is kept like a PIN that was given by value: a child has no user to ask.
  if (!forget_) value_ = secret(pin.bytes());
  return pin;
}

credentials pin_provider::credentials_with(const secret& pin) const {
  credentials with;
  with.pin = pin.bytes();
  with.forget = forget_;
  with.insist = insist_;
  if (location_) {
    with.read_again = [where = *location_]() -> std::optional<secret> {
      try {
        return read_pin_at(where);
      } catch (const failure& why) {
        log::event(log::level::error, "pin-source", "problem", why.what());
        return std::nullopt;
      }
    };
  }
  return with;
}

void pin_provider::opened() {
  opening_ = false;
  callback_ = nullptr;
  callback_user_ = nullptr;
  if (forget_) value_.reset();
}

}  // namespace hsmtls::pkcs11
