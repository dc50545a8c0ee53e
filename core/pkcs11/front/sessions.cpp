// C_OpenSession to C_Logout, PINs and operation state (PKCS#11 v3.1 sections 5.5 and 5.6).
#include <algorithm>
#include <iterator>

#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {
namespace {

CK_STATE state_of(std::optional<CK_USER_TYPE> login, bool writable) {
  if (!login) return writable ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
  if (*login == CKU_SO) return CKS_RW_SO_FUNCTIONS;
  return writable ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
}

std::span<const uint8_t> pin_bytes(const CK_UTF8CHAR* pin, CK_ULONG length) {
  return {pin, pin == nullptr ? 0 : length};
}

std::string_view state_bytes(const CK_BYTE* state, CK_ULONG length) {
  return {reinterpret_cast<const char*>(state), length};
}

// Which of our operations the flags of C_SessionCancel mean (PKCS#11 v3.1 section 5.6.10).
constexpr std::pair<CK_FLAGS, operation> cancellable[] = {
    {CKF_FIND_OBJECTS, operation::find},
    {CKF_ENCRYPT, operation::encrypt},
    {CKF_DECRYPT, operation::decrypt},
    {CKF_DIGEST, operation::digest},
    {CKF_SIGN, operation::sign},
    {CKF_SIGN_RECOVER, operation::sign_recover},
    {CKF_VERIFY, operation::verify},
    {CKF_VERIFY_RECOVER, operation::verify_recover},
    {CKF_MESSAGE_ENCRYPT, operation::message_encrypt},
    {CKF_MESSAGE_DECRYPT, operation::message_decrypt},
    {CKF_MESSAGE_SIGN, operation::message_sign},
    {CKF_MESSAGE_VERIFY, operation::message_verify},
};

CK_RV login_for_key(session_call& call, std::optional<std::span<const uint8_t>> pin) {
  virtual_session& session = call.session;
  token& behind = call.behind();
  constexpr operation with_key[] = {operation::sign, operation::decrypt, operation::sign_recover};
  const auto* const running = std::find_if(
      std::begin(with_key), std::end(with_key), [&](operation one) { return session.runs(one); });
  if (!session.real() || running == std::end(with_key)) return CKR_OPERATION_NOT_INITIALIZED;
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
        [&, kept = session.running(which), begun = true](uint64_t& life) mutable -> CK_RV {
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

CK_RV C_OpenSession(
    CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR, CK_NOTIFY, CK_SESSION_HANDLE* out) {
  return on_slot(slot, [&](application& app, token& behind, time_point until) -> CK_RV {
    if (out == nullptr) return CKR_ARGUMENTS_BAD;
    if ((flags & CKF_SERIAL_SESSION) == 0) return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    const bool writable = (flags & CKF_RW_SESSION) != 0;
    if (!writable && behind.logged_in(face::front) == CKU_SO)
      return CKR_SESSION_READ_WRITE_SO_EXISTS;
    // A real session is borrowed and given back: it shows that the token is there.
    const CK_RV rv = behind.with_recovery(until, repeat::freely, [&](uint64_t& life) {
      lease proof;
      return behind.borrow(writable, until, proof, life);
    });
    if (rv != CKR_OK) return rv;
    *out = app.sessions.add(std::make_shared<virtual_session>(slot, behind, flags));
    behind.application_session_opened();
    return CKR_OK;
  });
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle) {
  application& app = application::current();
  if (!app.initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
  return contained([&]() -> CK_RV {
    // Without a use: a call that never returns must not keep its session from being closed.
    auto session = app.sessions.take(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    app.session_closed(handle, std::move(session));
    return CKR_OK;
  });
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot) {
  return on_slot(slot, [&](application& app, token& behind, time_point) {
    app.close_sessions(slot, behind);
    return CKR_OK;
  });
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO* info) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    const virtual_session& session = call.session;
    *info = {session.slot(),
             state_of(call.behind().logged_in(face::front), session.writable()),
             session.flags(),
             0};
    return CKR_OK;
  });
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE handle, CK_BYTE* state, CK_ULONG* length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (!call.session.runs_any()) return CKR_OPERATION_NOT_INITIALIZED;
    const CK_RV rv = direct(
        call, repeat::if_rejected, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_GetOperationState, session, state, length);
        });
    if (rv == CKR_OK && state != nullptr) {
      call.app.states.remember(state_bytes(state, *length), call.session.running_operations());
    }
    return rv;
  });
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE handle,
                          CK_BYTE* state,
                          CK_ULONG length,
                          CK_OBJECT_HANDLE encryption_key,
                          CK_OBJECT_HANDLE authentication_key) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    std::shared_ptr<object> keys[2];
    const CK_OBJECT_HANDLE handles[2] = {encryption_key, authentication_key};
    for (int i = 0; i < 2; ++i) {
      if (handles[i] == 0) continue;
      if (const CK_RV rv = checked_object(call, handles[i], CKR_KEY_HANDLE_INVALID, keys[i]);
          rv != CKR_OK)
        return rv;
    }
    const CK_RV rv = direct(
        call,
        repeat::if_harmless,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session) -> CK_RV {
          CK_OBJECT_HANDLE real[2] = {0, 0};
          for (int i = 0; i < 2; ++i) {
            if (keys[i] == nullptr) continue;
            if (const CK_RV found = resolve_key(call, *keys[i], CKR_KEY_HANDLE_INVALID, real[i]);
                found != CKR_OK)
              return found;
          }
          return invoke(
              vendor.functions().C_SetOperationState, session, state, length, real[0], real[1]);
        });
    if (rv != CKR_OK) return rv;
    if (const auto kinds = call.app.states.kinds_in(state_bytes(state, length))) {
      for (size_t i = 0; i < kinds->size(); ++i) {
        if (kinds->test(i)) call.session.started(static_cast<operation>(i), {});
      }
    } else {
      // Not from here; the keys that it needs tell what kind of operation it may be of.
      if (encryption_key == 0 && authentication_key == 0)
        call.session.started(operation::digest, {});
      if (encryption_key != 0) call.session.started(operation::encrypt, {});
      if (authentication_key != 0) call.session.started(operation::sign, {});
    }
    return rv;
  });
}

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
    return call.behind().logout(face::front, call.until);
  });
}

CK_RV C_InitPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR* pin, CK_ULONG length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    // The other face's login is not the application's.
    if (call.behind().logged_in(face::front) != CKU_SO) return CKR_USER_NOT_LOGGED_IN;
    const CK_RV rv = direct(
        call, repeat::if_rejected, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_InitPIN, session, pin, length);
        });
    if (rv == CKR_OK) call.behind().pin_changed({}, pin_bytes(pin, length));
    return rv;
  });
}

CK_RV C_SetPIN(CK_SESSION_HANDLE handle,
               CK_UTF8CHAR* old_pin,
               CK_ULONG old_length,
               CK_UTF8CHAR* new_pin,
               CK_ULONG new_length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    token& behind = call.behind();
    const CK_USER_TYPE user = behind.logged_in(face::front) == CKU_SO ? CKU_SO : CKU_USER;
    std::optional<std::span<const uint8_t>> old;
    if (old_pin != nullptr) old = pin_bytes(old_pin, old_length);
    return direct(call, repeat::if_rejected, [&](const vendor_module&, CK_SESSION_HANDLE session) {
      return behind.set_pin(session, user, old, pin_bytes(new_pin, new_length), call.until);
    });
  });
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE handle, CK_FLAGS flags) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    virtual_session& session = call.session;
    const CK_FUNCTION_LIST_3_0* v3 = call.behind().module().functions_v3();
    if (v3 == nullptr) return CKR_FUNCTION_NOT_SUPPORTED;
    if (!session.real()) return CKR_OK;
    const CK_RV rv = call.behind().call(
        session.real(), call.until, [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE in) {
          return invoke(v3->C_SessionCancel, in, flags);
        });
    if (loss_of(rv) == loss::session) {
      session.lose_real();
      return CKR_OK;  // what was to be cancelled went with the real session
    }
    if (rv != CKR_OK) return rv;
    for (const auto& [flag, which] : cancellable) {
      if ((flags & flag) != 0 && session.runs(which)) session.ended(which, CKR_OK);
    }
    return CKR_OK;
  });
}

// PKCS#11 v3.1 section 5.20: legacy functions, "which shall simply return
// CKR_FUNCTION_NOT_PARALLEL".
CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE handle) {
  return in_session(handle, [](session_call&) { return CK_RV{CKR_FUNCTION_NOT_PARALLEL}; });
}
CK_RV C_CancelFunction(CK_SESSION_HANDLE handle) {
  return in_session(handle, [](session_call&) { return CK_RV{CKR_FUNCTION_NOT_PARALLEL}; });
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
