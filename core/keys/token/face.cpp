#include "core/keys/token/face.hpp"

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::keys {

const hsmtls_p11_functions& face() {
  static const hsmtls_p11_functions* const table = hsmtls_pkcs11_functions();
  if (table == nullptr || table->abi != HSMTLS_P11_ABI ||
      table->size < sizeof(hsmtls_p11_functions)) {
    throw failure(HSMTLS_MODULE_UNUSABLE,
                  "another, incompatible version of libhsmtls-pkcs11.so is loaded in this process. "
                  "Install one version of hsmtls and restart the program");
  }
  return *table;
}

namespace {
hsmtls_error_code code_of(int32_t code) {
  switch (static_cast<hsmtls_p11_code>(code)) {
    case HSMTLS_P11_OK:
      return HSMTLS_OK;
    case HSMTLS_P11_BAD_ARGUMENT:
      return HSMTLS_BAD_ARGUMENT;
    case HSMTLS_P11_MALFORMED_URI:
      return HSMTLS_MALFORMED_URI;
    case HSMTLS_P11_MODULE:
      return HSMTLS_MODULE_UNUSABLE;
    case HSMTLS_P11_TOKEN_NOT_FOUND:
      return HSMTLS_TOKEN_NOT_FOUND;
    case HSMTLS_P11_OBJECT_NOT_FOUND:
      return HSMTLS_KEY_NOT_FOUND;
    case HSMTLS_P11_AMBIGUOUS:
      return HSMTLS_AMBIGUOUS;
    case HSMTLS_P11_PIN_REQUIRED:
      return HSMTLS_PIN_REQUIRED;
    case HSMTLS_P11_PIN_INCORRECT:
      return HSMTLS_PIN_INCORRECT;
    case HSMTLS_P11_PIN_LOCKED:
      return HSMTLS_PIN_LOCKED;
    case HSMTLS_P11_PIN_SOURCE:
      return HSMTLS_PIN_SOURCE;
    case HSMTLS_P11_NOT_LOGGED_IN:
      return HSMTLS_NOT_LOGGED_IN;
    case HSMTLS_P11_TOKEN_LOST:
      return HSMTLS_TOKEN_LOST;
    case HSMTLS_P11_TOKEN_REPLACED:
      return HSMTLS_TOKEN_REPLACED;
    case HSMTLS_P11_KEY_REPLACED:
      return HSMTLS_KEY_REPLACED;
    case HSMTLS_P11_MODULE_STUCK:
      return HSMTLS_MODULE_STUCK;
    case HSMTLS_P11_DEADLINE:
      return HSMTLS_DEADLINE;
    case HSMTLS_P11_CANCELLED:
      return HSMTLS_CANCELLED;
    case HSMTLS_P11_UNSUPPORTED:
      return HSMTLS_UNSUPPORTED;
    case HSMTLS_P11_EXISTS:
      return HSMTLS_EXISTS;
    case HSMTLS_P11_IN_USE:
      return HSMTLS_IN_USE;
    case HSMTLS_P11_EXITING:
      return HSMTLS_EXITING;
    case HSMTLS_P11_TOKEN_ERROR:
      return HSMTLS_TOKEN_ERROR;
    case HSMTLS_P11_NO_MEMORY:
      return HSMTLS_NO_MEMORY;
    case HSMTLS_P11_INTERNAL:
      break;
  }
  return HSMTLS_INTERNAL;
}
}  // namespace

failure failure_of(const hsmtls_p11_error& error) {
  return {code_of(error.code), error.message, error.ckr};
}

std::string ckr_name(uint64_t ckr) {
  return ckr != 0 ? std::string(pkcs11::rv_name(ckr)) : std::string();
}

}  // namespace hsmtls::keys
