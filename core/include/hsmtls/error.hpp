// What goes wrong, in C++: a std::error_code, and what comes with it.
//
// Every function that can fail comes twice: one throws `error`; one takes a `diagnostics&` last,
// which it sets or clears, and returns an empty value on failure. Both may throw std::bad_alloc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "hsmtls/errc.hpp"
#include "hsmtls/hsmtls.h"

template <>
struct std::is_error_code_enum<hsmtls::errc> : std::true_type {};

namespace hsmtls {

// `error_category` is the category of errc: its name is "hsmtls", its messages are the sentences of
// the list of errors.
inline const std::error_category& error_category() noexcept {
  class list final : public std::error_category {
   public:
    const char* name() const noexcept override { return "hsmtls"; }
    std::string message(int code) const override { return sentence_of(static_cast<errc>(code)); }
  };
  // Never destroyed: an error may be looked at while the process exits.
  static const list& only = *new list;
  return only;
}

inline std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

// `diagnostics` is all that is known of an error; cheap to copy. Default: no error.
class diagnostics {
 public:
  diagnostics() = default;
  // Takes over what a call of the C face returned and wrote.
  diagnostics(std::int32_t code, hsmtls_error* taken) : code_(code) {
    if (taken != nullptr) error_.reset(taken, &hsmtls_error_free);
  }

  // Whether there is an error.
  explicit operator bool() const noexcept { return code_ != HSMTLS_OK; }
  [[nodiscard]] std::error_code code() const noexcept {
    return code_ == HSMTLS_OK ? std::error_code() : make_error_code(static_cast<errc>(code_));
  }
  // Only where there is one.
  [[nodiscard]] error_class category() const noexcept {
    return static_cast<error_class>(hsmtls_code_category(code_));
  }
  // One or two sentences: what was wrong, and what to do. Never holds a PIN. "" without an error.
  [[nodiscard]] const char* message() const noexcept {
    if (code_ == HSMTLS_OK) return "";
    return error_ != nullptr ? hsmtls_error_message(error_.get())
                             : sentence_of(static_cast<errc>(code_));
  }
  // The name of the code: "PIN_LOCKED". "OK" without an error.
  [[nodiscard]] const char* name() const noexcept { return hsmtls_code_name(code_); }
  // The CK_RV beneath and its name ("CKR_PIN_LOCKED"); 0 and "": none.
  [[nodiscard]] std::uint64_t ckr() const noexcept { return hsmtls_error_ckr(error_.get()); }
  [[nodiscard]] const char* ckr_name() const noexcept {
    return hsmtls_error_ckr_name(error_.get());
  }
  // OpenSSL's packed code beneath (ERR_get_error(3)) and its reason string; 0 and "": none.
  [[nodiscard]] std::uint64_t openssl() const noexcept {
    return hsmtls_error_openssl(error_.get());
  }
  [[nodiscard]] const char* openssl_reason() const noexcept {
    return hsmtls_error_openssl_reason(error_.get());
  }

 private:
  std::int32_t code_ = HSMTLS_OK;
  std::shared_ptr<hsmtls_error> error_;
};

// `error` is what is thrown. code() is of error_category; what() is the message.
class error : public std::system_error {
 public:
  explicit error(diagnostics details)
      : std::system_error(details.code()), details_(std::move(details)) {}

  [[nodiscard]] const char* what() const noexcept override { return details_.message(); }
  [[nodiscard]] const diagnostics& details() const noexcept { return details_; }
  [[nodiscard]] error_class category() const noexcept { return details_.category(); }
  [[nodiscard]] std::uint64_t ckr() const noexcept { return details_.ckr(); }
  [[nodiscard]] const char* ckr_name() const noexcept { return details_.ckr_name(); }
  [[nodiscard]] const char* openssl_reason() const noexcept { return details_.openssl_reason(); }

 private:
  diagnostics details_;
};

}  // namespace hsmtls
