// Where the PIN of a token comes from.
#pragma once

#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "hsmtls/detail/call.hpp"

namespace hsmtls {

// The first that is set counts: pin-value or pin-source in the URI (RFC 7512 section 2.4), `pin`,
// `pin_callback`, `pin_source`, HSMTLS_PIN_SOURCE. None: what the token shows without login is all
// there is.
struct login {
  std::string pin;  // kept in locked memory while the key is open; this copy is yours to wipe

  // Returns the PIN of the token with that label, or nothing. Called on the thread of the call that
  // this was given to, inside that call only; must not call back into hsmtls. What it throws leaves
  // that call. What it returns is wiped.
  std::function<std::optional<std::string>(const std::string& token_label)> pin_callback;

  // "file:/run/pin", "env:NAME", "credential:NAME". A file and a credential are read again at each
  // login and not kept.
  std::string pin_source;
  bool forget_pin = false;  // a PIN by value is not kept: after a loss there is no login by itself
  bool insist = false;      // log in although the token says that it is the last try
};

namespace detail {

// A login as the C face takes it; lives as long as the call.
class c_login {
 public:
  explicit c_login(const login& from) : from_(from) {
    made_.struct_size = sizeof made_;
    if (!from.pin.empty()) {
      made_.pin = bytes(from.pin);
      made_.pin_len = length(from.pin.size());
    }
    if (from.pin_callback) {
      made_.pin_fn = &c_login::ask;
      made_.pin_user = this;
    }
    made_.pin_source = given(from.pin_source);
    made_.forget_pin = from.forget_pin ? 1 : 0;
    made_.insist = from.insist ? 1 : 0;
  }
  c_login(const c_login&) = delete;
  c_login& operator=(const c_login&) = delete;

  [[nodiscard]] const hsmtls_login* get() const { return &made_; }
  // Throws what the callback threw.
  void rethrow() const { held_.rethrow(); }

 private:
  static std::int32_t ask(void* user,
                          const char* token_label,
                          std::uint8_t* out_pin,
                          std::uint32_t capacity) {
    auto& self = *static_cast<c_login*>(user);
    return self.held_.hold(std::int32_t{-1}, [&]() -> std::int32_t {
      std::optional<std::string> pin = self.from_.pin_callback(token_label);
      if (!pin) return -1;
      const bool fits = pin->size() <= capacity;
      if (fits) std::memcpy(out_pin, pin->data(), pin->size());
      const std::size_t size = pin->size();
      wipe(*pin);
      if (!fits) throw std::length_error("hsmtls: the PIN is too long");
      return static_cast<std::int32_t>(size);
    });
  }

  const login& from_;
  hsmtls_login made_{};
  held_exception held_;
};

}  // namespace detail
}  // namespace hsmtls
