// C_OpenSession to C_GetSessionInfo and C_SessionCancel (PKCS#11 v3.1 sections 5.6 and 5.20).
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

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_OpenSession(
    CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR, CK_NOTIFY, CK_SESSION_HANDLE* out) {
  return on_slot(slot, [&](slot_call& call) -> CK_RV {
    token& behind = call.behind;
    if (out == nullptr) return CKR_ARGUMENTS_BAD;
    if ((flags & CKF_SERIAL_SESSION) == 0) return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    const bool writable = (flags & CKF_RW_SESSION) != 0;
    if (call.through != nullptr && writable) return CKR_TOKEN_WRITE_PROTECTED;
    if (call.through == nullptr && !writable && behind.logged_in(face::front) == CKU_SO)
      return CKR_SESSION_READ_WRITE_SO_EXISTS;
    if (call.through == nullptr) {
      // A real session is borrowed and given back: it shows that the token is there. Not in a view:
      // libp11 0.4.12 waits for ever for a session that cannot be opened.
      const CK_RV rv = behind.with_recovery(call.until, repeat::freely, [&](uint64_t& life) {
        lease proof;
        return behind.borrow(writable, call.until, proof, life);
      });
      if (rv != CKR_OK) return rv;
    }
    *out =
        call.app.sessions.add(std::make_shared<virtual_session>(slot, behind, flags, call.through));
    if (call.through == nullptr) behind.application_session_opened();
    return CKR_OK;
  });
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle) {
  return contained([&]() -> CK_RV {
    application& app = application::current();
    if (!app.initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
    // Without a use: a call that never returns must not keep its session from being closed.
    auto session = app.sessions.take(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    app.session_closed(handle, std::move(session));
    return CKR_OK;
  });
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot) {
  return on_slot(slot, [&](slot_call& call) {
    call.app.close_sessions(slot, call.behind);
    return CKR_OK;
  });
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO* info) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    const virtual_session& session = call.session;
    *info = {session.slot(), state_of(session.logged_in(), session.writable()), session.flags(), 0};
    return CKR_OK;
  });
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE handle, CK_FLAGS flags) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    virtual_session& session = call.session;
    const CK_FUNCTION_LIST_3_0* v3 = call.behind().module().functions_v3();
    if (v3 == nullptr) return CKR_FUNCTION_NOT_SUPPORTED;
    const auto end_those_meant = [&] {
      for (const auto& [flag, which] : cancellable) {
        if ((flags & flag) != 0 && session.runs(which)) session.ended(which, CKR_OK);
      }
      return CK_RV{CKR_OK};
    };
    if (!session.real()) return end_those_meant();
    const CK_RV rv = call.behind().call(
        session.real(), call.until, [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE in) {
          return invoke(v3->C_SessionCancel, in, flags);
        });
    if (loss_of(rv) == loss::session) {
      session.lose_real();  // what was to be cancelled went with it
    } else if (rv != CKR_OK) {
      return rv;
    }
    return end_those_meant();
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
