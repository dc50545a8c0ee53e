// How long the private face uses the runtime and a token: counted, so that the last one logs out
// and finalises.
#pragma once

#include "core/pkcs11/private/pin_provider.hpp"
#include "core/pkcs11/private/uri_search.hpp"
#include "core/pkcs11/runtime/runtime.hpp"

namespace hsmtls::pkcs11 {

// `add_module` makes one more vendor's module usable, or finds it. Throws MODULE.
vendor_module& add_module(const std::string& path);

// Counts the private face in to the process's runtime while it lives. Throws MODULE.
class runtime_use {
 public:
  // `only`: looks in the module of this file alone, which is added if need be; empty: in all.
  explicit runtime_use(const std::string& only = {});
  ~runtime_use();
  runtime_use(const runtime_use&) = delete;
  runtime_use& operator=(const runtime_use&) = delete;
  // Where to look.
  [[nodiscard]] std::vector<vendor_module*> modules() const;

 private:
  runtime& process_;
  vendor_module* const only_;
};

// Counts one user of a token in: the last one logs the private face out of it and closes its
// sessions. Who comes meanwhile waits until `until`, as it would lose the login that it finds;
// throws MODULE_STUCK.
class token_use {
 public:
  token_use(token& which, time_point until);
  ~token_use();
  token_use(const token_use&) = delete;
  token_use& operator=(const token_use&) = delete;

 private:
  runtime& process_;
  token& token_;
};

// The private face's only use of a token, for what no session or login may outlive. Throws IN_USE.
class sole_token_use {
 public:
  explicit sole_token_use(const present_token& where);
  ~sole_token_use();
  sole_token_use(const sole_token_use&) = delete;
  sole_token_use& operator=(const sole_token_use&) = delete;

 private:
  const token& token_;
};

// The signatures that the private face made in a token.
struct signature_counts {
  uint64_t made = 0;
  uint64_t failed = 0;
};
void count_signature(const token& where, bool good);
signature_counts signatures_in(const token& where);

// What a call about one token needs: the token that a URI fits, and a login there.
class opened_token {
 public:
  enum class login { if_there_is_a_pin, required };
  // Throws TOKEN_NOT_FOUND, AMBIGUOUS, PIN_REQUIRED, ….
  opened_token(const char* uri_text, const hsmtls_p11_login* with, login when, time_point until);

  const uri wanted;
  pin_provider pins;
  const runtime_use process;
  const present_token where;
  const token_use use;

  [[nodiscard]] token& behind() const { return *where.behind; }
};

// `change_token` makes one call in a writable session that must not be made twice:
// run(const CK_FUNCTION_LIST&, session handle).
template <class Run>
CK_RV change_token(token& behind, time_point until, Run&& run) {
  return behind.with_recovery(until, repeat::if_rejected, [&](uint64_t& life) -> CK_RV {
    lease session;
    if (const CK_RV got = behind.borrow(true, until, session, life); got != CKR_OK) return got;
    return behind.call_once(session, until, run);
  });
}

}  // namespace hsmtls::pkcs11
