// How the private face fails inside: one exception type, turned into hsmtls_p11_error at its edge.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::pkcs11 {

class failure : public std::exception {
 public:
  failure(hsmtls_p11_code code, std::string message, CK_RV ckr = CKR_OK)
      : code_(code), ckr_(ckr), message_(std::move(message)) {}

  [[nodiscard]] hsmtls_p11_code code() const { return code_; }
  [[nodiscard]] CK_RV ckr() const { return ckr_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  hsmtls_p11_code code_;
  CK_RV ckr_;
  std::string message_;
};

// `failure_of` makes the failure that a return value of the token layer means. `doing` says what
// was tried ("sign with the key 'device' in token 'edge'").
failure failure_of(CK_RV rv, const std::string& doing);

// `no_thread` is the failure of a process at its limit of threads.
inline failure no_thread() {
  return {HSMTLS_P11_NO_MEMORY,
          "no thread for a signature: the process is at its limit of threads"};
}

// `check` throws failure_of(rv, doing) unless `rv` is CKR_OK.
inline void check(CK_RV rv, const std::string& doing) {
  if (rv != CKR_OK) throw failure_of(rv, doing);
}

// `describe_failure` fills the caller's struct; null: not wanted. Returns the code.
int32_t describe_failure(hsmtls_p11_code code,
                         CK_RV ckr,
                         const char* message,
                         hsmtls_p11_error* out) noexcept;
int32_t describe_failure(const failure& why, hsmtls_p11_error* out) noexcept;

}  // namespace hsmtls::pkcs11
