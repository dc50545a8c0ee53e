// What goes wrong in a command is thrown as a `problem`: an error of the library's, or one of the
// command's own out of the same list.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "hsmtls/hsmtls.h"

namespace hsmtls::cli {

class problem : public std::runtime_error {
 public:
  problem(int32_t code, const std::string& message, std::string ckr = {}, std::string openssl = {})
      : std::runtime_error(message),
        code_(code),
        ckr_(std::move(ckr)),
        openssl_(std::move(openssl)) {}

  [[nodiscard]] int32_t code() const { return code_; }
  [[nodiscard]] const char* name() const { return hsmtls_code_name(code_); }
  [[nodiscard]] const char* category() const;                    // "token"
  [[nodiscard]] const std::string& ckr() const { return ckr_; }  // "CKR_PIN_LOCKED"; empty: none
  [[nodiscard]] const std::string& openssl() const { return openssl_; }  // its reason; empty: none

  // 2 where the mistake can be seen in what was typed: another try of the same will not help.
  [[nodiscard]] int exit_status() const;

 private:
  int32_t code_;
  std::string ckr_;
  std::string openssl_;
};

// `usage` is a problem with what was typed.
inline problem usage(const std::string& message) {
  return {HSMTLS_BAD_ARGUMENT, message};
}

// `problem_of` takes over an error of the library's.
problem problem_of(int32_t code, hsmtls_error* taken);

// `checked` calls a function of the C face, whose last argument is an error, and throws what it says.
template <class Function, class... Arguments>
void checked(Function function, Arguments... arguments) {
  hsmtls_error* error = nullptr;
  const int32_t code = function(arguments..., &error);
  if (code != HSMTLS_OK) throw problem_of(code, error);
}

}  // namespace hsmtls::cli
