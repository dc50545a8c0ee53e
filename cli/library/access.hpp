// How a command gets into a token: where the PIN comes from, and when somebody is asked for it.
#pragma once

#include <optional>
#include <string>

#include "cli/globals.hpp"
#include "cli/library/problem.hpp"
#include "cli/pin/secret.hpp"

namespace hsmtls::cli {

class access {
 public:
  explicit access(const globals& all) : all_(all) {}

  [[nodiscard]] const char* module() const {
    return all_.module.empty() ? nullptr : all_.module.c_str();
  }

  // Whether a PIN can come from anywhere at all.
  [[nodiscard]] bool may_have_pin(const std::string& uri) const;
  // Whether there is one: named somewhere, or typed by now, and not just Enter.
  [[nodiscard]] bool has_pin(const std::string& uri) const;

  // `use` calls `call(const hsmtls_login*)`, a wrapper of a function of the C face. If the token
  // wants a PIN, none is configured and there is a terminal, its user is asked, once per command, and
  // it is called again. A PIN that was refused is never sent again. Throws problem.
  template <class Call>
  auto use(const std::string& uri, Call call) {
    std::optional<std::string> token;
    try {
      const login how(*this, uri, token);
      return call(how.get());
    } catch (const problem& why) {
      if (why.code() != HSMTLS_PIN_REQUIRED) throw;
      explain_or_ask(why, token);
    }
    const login how(*this, uri, token);
    return call(how.get());
  }

 private:
  // What the library is told. Where the user could be asked, it asks us for the PIN, we note the
  // token's name and have none: the clock of the call must not run while somebody types.
  class login {
   public:
    login(const access& of, const std::string& uri, std::optional<std::string>& asked_by);
    [[nodiscard]] const hsmtls_login* get() const { return &made_; }

   private:
    hsmtls_login made_{};
  };

  void explain_or_ask(const problem& why, const std::optional<std::string>& token);

  const globals& all_;
  std::optional<secret> typed_;
};

}  // namespace hsmtls::cli
