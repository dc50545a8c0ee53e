#include "cli/library/problem.hpp"

namespace hsmtls::cli {

const char* problem::category() const {
  switch (hsmtls_code_category(code_)) {
    case HSMTLS_CATEGORY_CONFIG:
      return "config";
    case HSMTLS_CATEGORY_TOKEN:
      return "token";
    case HSMTLS_CATEGORY_CERTIFICATE:
      return "certificate";
    case HSMTLS_CATEGORY_HANDSHAKE:
      return "handshake";
    case HSMTLS_CATEGORY_TIMEOUT:
      return "timeout";
    case HSMTLS_CATEGORY_CLOSED:
      return "closed";
    default:
      return "internal";
  }
}

int problem::exit_status() const {
  // With a CKR beneath it was the token that did not like an argument, a new PIN for example.
  const bool typed_wrong =
      code_ == HSMTLS_MALFORMED_URI || (code_ == HSMTLS_BAD_ARGUMENT && ckr_.empty());
  return typed_wrong ? 2 : 1;
}

problem problem_of(int32_t code, hsmtls_error* taken) {
  problem made(code,
               taken != nullptr ? hsmtls_error_message(taken) : hsmtls_code_name(code),
               hsmtls_error_ckr_name(taken),
               hsmtls_error_openssl_reason(taken));
  hsmtls_error_free(taken);
  return made;
}

}  // namespace hsmtls::cli
