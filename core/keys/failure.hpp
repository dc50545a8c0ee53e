// What goes wrong in this library is thrown as a `failure`; bindings/c makes an hsmtls_error of it.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "hsmtls/errors.h"

namespace hsmtls {

class failure : public std::exception {
 public:
  failure(hsmtls_error_code code, std::string message, uint64_t ckr = 0)
      : code_(code), ckr_(ckr), message_(std::move(message)) {}

  // OpenSSL's packed code and reason beneath.
  failure&& because(unsigned long openssl, std::string reason) && {
    openssl_ = openssl;
    reason_ = std::move(reason);
    return std::move(*this);
  }

  [[nodiscard]] hsmtls_error_code code() const { return code_; }
  // One or two English sentences: what was wrong, what to do. Never holds a PIN.
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] uint64_t ckr() const { return ckr_; }
  [[nodiscard]] unsigned long openssl() const { return openssl_; }
  [[nodiscard]] const std::string& openssl_reason() const { return reason_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  hsmtls_error_code code_;
  uint64_t ckr_;
  unsigned long openssl_ = 0;
  std::string message_;
  std::string reason_;
};

// `caught` is called where an exception is being handled, and hands it to `use` as a failure: the one
// ladder behind all borders that nothing thrown may cross.
template <class Use>
auto caught(Use&& use) noexcept {
  try {
    throw;
  } catch (const failure& problem) {
    return use(problem);
  } catch (const std::bad_alloc&) {
    return use(failure(HSMTLS_NO_MEMORY, "no memory"));
  } catch (const std::exception& problem) {
    return use(failure(HSMTLS_INTERNAL, problem.what()));
  }
}

}  // namespace hsmtls
