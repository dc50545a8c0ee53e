// What a function of the C face answered.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "hsmtls/hsmtls.h"

namespace hsmtls::test {

struct answer {
  int32_t code = HSMTLS_OK;
  std::string message{};
  std::string ckr_name{};

  [[nodiscard]] bool fine() const { return code == HSMTLS_OK; }
  // "PEER_UNTRUSTED", or "OK".
  [[nodiscard]] std::string name() const { return hsmtls_code_name(code); }
  [[nodiscard]] bool mentions(const std::string& words) const {
    return message.find(words) != std::string::npos;
  }
  friend bool operator==(const answer& one, hsmtls_error_code code) { return one.code == code; }
  friend std::ostream& operator<<(std::ostream& out, const answer& one) {
    return out << one.name() << " \"" << one.message << '"';
  }
};

// `called` makes call(hsmtls_error**), whatever it calls: what is returned is also what the error says,
// and no message has a PIN in it.
template <class Call>
answer called(Call&& call) {
  hsmtls_error* error = nullptr;
  const int32_t code = call(&error);
  EXPECT_EQ(code, hsmtls_error_code_of(error));
  answer made{code, hsmtls_error_message(error), hsmtls_error_ckr_name(error)};
  EXPECT_FALSE(made.mentions("pin-of-this-test"));
  hsmtls_error_free(error);
  return made;
}

// `asked` calls a function whose last argument is the error.
template <class Function, class... Arguments>
answer asked(Function function, Arguments... arguments) {
  return called([&](hsmtls_error** error) { return function(arguments..., error); });
}

}  // namespace hsmtls::test
