// What an application is told when a recovery did not succeed: the PKCS#11 value that says the
// truth about the session or object that *it* holds.
#pragma once

#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {

inline CK_RV honest(CK_RV rv) {
  switch (rv) {
    // The application's session is a virtual one and lives on: the device behind it is what is
    // gone.
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case verdict::deadline:
    case verdict::token_replaced:
      return CKR_DEVICE_REMOVED;
    case verdict::object_gone:
    case verdict::object_missing:
      return CKR_OBJECT_HANDLE_INVALID;
    case verdict::key_replaced:
      return CKR_KEY_HANDLE_INVALID;
    case verdict::module_stuck:
    case verdict::login_busy:
      return CKR_FUNCTION_FAILED;
    case verdict::login_refused:
      return CKR_USER_NOT_LOGGED_IN;
    case verdict::exiting:
      return CKR_CRYPTOKI_NOT_INITIALIZED;
    default:
      return rv;
  }
}

}  // namespace hsmtls::pkcs11
