// Where a PIN comes from, in one order for everybody (hsmtls_p11_login says it).
#pragma once

#include <optional>
#include <string>

#include "core/pkcs11/base/secret.hpp"
#include "core/pkcs11/private/failure.hpp"
#include "core/pkcs11/token/credentials.hpp"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::pkcs11 {

// `read_pin_at` reads the PIN at a location; one trailing newline of a file is cut. Throws
// PIN_SOURCE, naming the place and what is wrong with it.
secret read_pin_at(const pin_location& where);

// How to log in to one key's token: kept with the key, because a forked child has to do it again.
class pin_provider {
 public:
  // Takes what the caller gave, by value; `login` may be null. Throws PIN_SOURCE for a malformed
  // source.
  pin_provider(const uri& from, const hsmtls_p11_login* login);

  // Whether there is a PIN that may be sent now: any while the key is being opened; later, without
  // the user, only one that the token has accepted.
  [[nodiscard]] bool usable() const;
  // The same of a login at the token's PIN pad: while the key is being opened.
  [[nodiscard]] bool pad_usable() const { return opening_; }

  // `get` returns the PIN for the token labelled `token_label`, or none. Throws PIN_SOURCE. A
  // callback is called until `opened`: never from a signature.
  std::optional<secret> get(const std::string& token_label);

  // `accepted` says that the token took the PIN. One that was given while somebody else was logged
  // in is not known to be right.
  void accepted() { accepted_ = true; }
  [[nodiscard]] bool is_accepted() const { return accepted_; }

  // `credentials_with` says how to log in with `pin` and what to keep of it.
  [[nodiscard]] credentials credentials_with(const secret& pin) const;

  // `opened` ends the time in which the callback may be called, and forgets what must not be kept.
  void opened();

 private:
  std::optional<secret> value_;
  std::optional<pin_location> location_;
  hsmtls_p11_pin_fn callback_ = nullptr;
  void* callback_user_ = nullptr;
  bool forget_ = false;
  bool insist_ = false;
  bool opening_ = true;
  bool accepted_ = false;
};

}  // namespace hsmtls::pkcs11
