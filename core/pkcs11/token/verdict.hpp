// Why a recovery ended without success, as return values of our own. They travel beside the
// vendor's values inside the token layer and never leave it: each face translates them
// (front/honest.hpp for applications).
#pragma once

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11::verdict {

inline constexpr CK_RV first = CKR_VENDOR_DEFINED | 0x48534d00UL;

inline constexpr CK_RV deadline = first + 1;        // not back within the caller's time
inline constexpr CK_RV token_replaced = first + 2;  // another token sits in the slot
inline constexpr CK_RV key_replaced = first + 3;    // the same names, another key
inline constexpr CK_RV module_stuck = first + 4;    // a call inside the module never returned
inline constexpr CK_RV login_refused =
    first + 5;  // no login: PIN not known, no longer right, or breaker open
inline constexpr CK_RV exiting = first + 6;      // the process exits
inline constexpr CK_RV object_gone = first + 7;  // a session object, gone with its session for good
inline constexpr CK_RV object_missing = first + 8;  // nothing of its name: removed, or not back yet
inline constexpr CK_RV login_busy =
    first + 9;  // others send the same PIN and do not come to an end
inline constexpr CK_RV last = login_busy;

// `name_of` returns the verdict's name in logs and in the named errors of the private face.
constexpr const char* name_of(CK_RV verdict) {
  switch (verdict) {
    case deadline:
      return "deadline";
    case token_replaced:
      return "token_replaced";
    case key_replaced:
      return "key_replaced";
    case module_stuck:
      return "module_stuck";
    case login_refused:
      return "login_refused";
    case exiting:
      return "exiting";
    case object_gone:
      return "object_gone";
    case object_missing:
      return "object_missing";
    case login_busy:
      return "login_busy";
    default:
      return "unknown";
  }
}

// `is_without_object` tells whether the object is the one thing that is not there.
constexpr bool is_without_object(CK_RV rv) {
  return rv == object_gone || rv == object_missing;
}

constexpr bool is_verdict(CK_RV rv) {
  return rv > first && rv <= last;
}

}  // namespace hsmtls::pkcs11::verdict
