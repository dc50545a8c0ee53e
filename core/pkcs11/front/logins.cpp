// C_Login to C_Logout, C_InitPIN and C_SetPIN (PKCS#11 v3.1 sections 5.5 and 5.6).
#include <algorithm>
#include <iterator>

#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {
namespace {

std::span<const uint8_t> pin_bytes(const CK_UTF8CHAR* pin, CK_ULONG length) {
  return {pin, pin == nullptr ? 0 : length};
}

CK_RV login_for_key(session_call& call, std::optional<std::span<const uint8_t>> pin) {
  virtual_session& session = call.session;
  token& behind = call.behind();
  constexpr operation with_key[] = {operation::sign, operation::decrypt, operation::sign_recover};
  const auto* const running = std::find_if(
      std::begin(with_key), std::end(with_key), [&](operation one) { return session.runs(one); });
  if (running == std::end(with_key)) return CKR_OPERATION_NOT_INITIALIZED;
  const operation which = *running;

  CK_RV rv = CKR_OK;
  if (!session.running(which).replayable) {
    rv =
        lost_in_operation(call, which, behind.login_for_operation(session.real(), pin, call.until));
  } else {
    // What fails in other ways than by a loss is not tried again: it may be a failed
    // authentication.
    rv = behind.with_recovery(
        call.until,
        repeat::if_harmless,
        [&, kept = session.running(which), begun = session.is_begun(which)](
            uint64_t& life) mutable -> CK_RV {
          if (!begun) {
            if (const CK_RV again = restart_operation(call, which, kept, life); again != CKR_OK)
              return again;
          }
          begun = false;
          life = session.real().life();
          const CK_RV answer = behind.login_for_operation(session.real(), pin, call.until);
          // We did begin the operation in this session: one that knows nothing of it is not the one
          // that we had.
          if (answer != CKR_OPERATION_NOT_INITIALIZED && loss_of(answer) != loss::session)
            return answer;
          session.lose_real();
          return CKR_SESSION_HANDLE_INVALID;
        });
  }
  if (!session.runs(which)) return rv;
  running_operation& now = session.running(which);
  now.context_login = rv == CKR_OK;
  // It can be given again only if it is the PIN that we know.
  now.replayable = now.replayable && rv == CKR_OK && pin && behind.is_known_pin(*pin) == true;
  return rv;
}

CK_RV log_in(CK_SESSION_HANDLE handle, const credentials& with, CK_USER_TYPE user) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (user == CKU_CONTEXT_SPECIFIC) return login_for_key(call, with.pin);
    if (user != CKU_USER && user != CKU_SO) return CKR_USER_TYPE_INVALID;
    // A view's owner is: no PIN is looked at.
    if (call.session.through() != nullptr) return CKR_USER_ALREADY_LOGGED_IN;
    if (user == CKU_SO) {
      const CK_SLOT_ID slot = call.session.slot();
      const bool read_only = call.app.sessions.count_if([&](const virtual_session& one) {
        return one.slot() == slot && !one.writable();
      }) > 0;
      if (read_only) return CKR_SESSION_READ_ONLY_EXISTS;
    }
    return call.behind().login(face::front, user, with, call.until);
  });
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG length) {
  credentials with;
  if (pin != nullptr) with.pin = pin_bytes(pin, length);
  return log_in(handle, with, user);
}

CK_RV C_LoginUser(CK_SESSION_HANDLE handle,
                  CK_USER_TYPE user,
                  CK_CHAR* pin,
                  CK_ULONG length,
                  CK_UTF8CHAR* name,
                  CK_ULONG name_length) {
  credentials with;
  if (pin != nullptr) with.pin = pin_bytes(pin, length);
  with.user_name = pin_bytes(name, name_length);
  return log_in(handle, with, user);
}

CK_RV C_Logout(CK_SESSION_HANDLE handle) {
  return in_session(handle, [&](session_call& call) {
    // Nothing of a logged-out session may go on with the rights of a logged-in one.
    call.session.cancel_operations();
    call.session.give_back_real();  // it may be the only one there is
    // The login is not the application's to end.
    if (call.session.through() != nullptr) return CKR_OK;
    return call.behind().logout(face::front, call.until);
  });
}

CK_RV C_InitPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR* pin, CK_ULONG length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (call.session.through() != nullptr) return CKR_SESSION_READ_ONLY;
    // The other face's login is not the application's.
    if (call.behind().logged_in(face::front) != CKU_SO) return CKR_USER_NOT_LOGGED_IN;
    const CK_RV rv = direct(
        call, repeat::if_rejected, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_InitPIN, session, pin, length);
        });
    if (rv == CKR_OK) call.behind().pin_changed(pin_bytes(pin, length));
    return rv;
  });
}

CK_RV C_SetPIN(CK_SESSION_HANDLE handle,
               CK_UTF8CHAR* old_pin,
               CK_ULONG old_length,
               CK_UTF8CHAR* new_pin,
               CK_ULONG new_length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (call.session.through() != nullptr) return CKR_SESSION_READ_ONLY;
    token& behind = call.behind();
    const CK_USER_TYPE user = behind.logged_in(face::front) == CKU_SO ? CKU_SO : CKU_USER;
    std::optional<std::span<const uint8_t>> old;
    if (old_pin != nullptr) old = pin_bytes(old_pin, old_length);
    return direct(call, repeat::if_rejected, [&](const vendor_module&, CK_SESSION_HANDLE session) {
      return behind.set_pin(session, user, old, pin_bytes(new_pin, new_length), call.until);
    });
  });
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
