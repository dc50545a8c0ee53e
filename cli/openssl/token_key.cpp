#include "cli/openssl/token_key.hpp"

#include "hsmtls/hsmtls_openssl.h"

namespace hsmtls::cli {

pkey token_key(const identity& from) {
  EVP_PKEY* made = nullptr;
  checked(hsmtls_identity_evp_pkey, from.get(), uint32_t{HSMTLS_KEY_PROVIDER}, &made);
  return pkey(made);
}

void throw_last_error(const identity& from) {
  hsmtls_error* const last = hsmtls_identity_last_error(from.get());
  if (last != nullptr) throw problem_of(hsmtls_error_code_of(last), last);
}

}  // namespace hsmtls::cli
