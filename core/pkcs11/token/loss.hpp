// Which return values mean that something was lost that we can get back, and what may then be
// repeated.
#pragma once

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {

enum class loss {
  none,     // not a loss: the caller's business
  session,  // the session is gone (or was, and its number now means another)
  object,   // the object's handle is gone
  unseen,   // the object is not found again: during a recovery, that means "not back yet"
  login,    // the token forgot that we are logged in
  absent,   // there is no token now; the call did not begin
  removed,  // the token went away during the call
  hard,     // device or general error: may be a loss, may be the caller's fault
  library,  // somebody finalised the vendor's module
};

inline constexpr size_t loss_kinds = static_cast<size_t>(loss::library) + 1;

inline loss loss_of(CK_RV rv) {
  switch (rv) {
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
      return loss::session;
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_WRAPPING_KEY_HANDLE_INVALID:
    case CKR_UNWRAPPING_KEY_HANDLE_INVALID:
      return loss::object;
    case verdict::object_missing:
      return loss::unseen;
    case CKR_USER_NOT_LOGGED_IN:
      return loss::login;
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_SLOT_ID_INVALID:
      return loss::absent;
    case CKR_DEVICE_REMOVED:
      return loss::removed;
    case CKR_DEVICE_ERROR:
    case CKR_GENERAL_ERROR:
      return loss::hard;
    case CKR_CRYPTOKI_NOT_INITIALIZED:
      return loss::library;
    default:
      return loss::none;
  }
}

// What may be done again after a loss.
enum class repeat {
  freely,  // sign, find and session calls: harmless to repeat, and worth a rebuild on any error
  if_harmless,  // harmless to repeat, but a device error may be the caller's own fault: handed on
  if_rejected,  // changes the token: only when the vendor turned the call away before it began
};

inline bool may_repeat(repeat how, loss what) {
  switch (what) {
    case loss::none:
      return false;
    case loss::hard:
      return how == repeat::freely;
    case loss::removed:
      return how != repeat::if_rejected;
    default:
      return true;
  }
}

}  // namespace hsmtls::pkcs11
