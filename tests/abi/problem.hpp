// The error of a call, owned.
#pragma once

#include <ostream>
#include <string>

#include "hsmtls/hsmtls.h"

namespace hsmtls::test {

// Pass `out()` as a call's last argument, the code as `of`.
class problem {
 public:
  problem() = default;
  ~problem() { hsmtls_error_free(error_); }
  problem(const problem&) = delete;
  problem& operator=(const problem&) = delete;

  hsmtls_error** out() { return &error_; }
  [[nodiscard]] std::string message() const { return hsmtls_error_message(error_); }
  // "BAD_ARGUMENT", or "OK".
  [[nodiscard]] std::string name() const { return hsmtls_code_name(hsmtls_error_code_of(error_)); }

 private:
  hsmtls_error* error_ = nullptr;
};

// `name_of_error` returns the name of the error that call(hsmtls_error**) returned, and that the error
// which came with it has.
template <class Call>
std::string name_of_error(Call&& call) {
  problem came;
  const std::string returned = hsmtls_code_name(call(came.out()));
  return returned == came.name() ? returned : returned + ", but the error says " + came.name();
}

}  // namespace hsmtls::test
