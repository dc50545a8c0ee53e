// How the application's calls become calls in a real session: begun, replayed after a loss where
// nothing is lost by it, and ended by the rules of PKCS#11 v3.1 section 5.
#pragma once

#include "core/pkcs11/front/application.hpp"

namespace hsmtls::pkcs11 {

// A variable-length result (PKCS#11 v3.1 section 5.2). A null buffer asks for the length only.
struct output {
  CK_BYTE_PTR buffer = nullptr;
  CK_ULONG_PTR length = nullptr;

  // Whether a call that answered `rv` ended its operation.
  [[nodiscard]] bool ends(CK_RV rv) const {
    if (rv == CKR_BUFFER_TOO_SMALL) return false;
    return rv != CKR_OK || length == nullptr || buffer != nullptr;
  }
};

// What goes in; known so that a replay is not tried over input that the output may have
// overwritten.
struct input {
  CK_BYTE_PTR start = nullptr;
  CK_ULONG length = 0;

  [[nodiscard]] bool overlaps(const output& out) const {
    if (start == nullptr || out.buffer == nullptr || out.length == nullptr) return false;
    return start < out.buffer + *out.length && out.buffer < start + length;
  }
};

// `checked_object` returns the object behind a handle if the application may use it in this
// session.
CK_RV checked_object(session_call& call,
                     CK_OBJECT_HANDLE handle,
                     CK_RV if_unknown,
                     std::shared_ptr<object>& out);

// `resolve_in` gives the object's handle for the real session of the call.
CK_RV resolve_in(session_call& call, object& what, CK_OBJECT_HANDLE& out);

// Keys that a call names, resolved before it: a key that is gone has the value that the call knows
// it by, but only once nothing more is tried.
class named_keys {
 public:
  // resolve_in; `if_gone` is what `named` makes of a key that is not to be had.
  CK_RV resolve(session_call& call, object& what, CK_RV if_gone, CK_OBJECT_HANDLE& out) {
    const CK_RV rv = resolve_in(call, what, out);
    if_gone_ = rv == CKR_OK ? CK_RV{CKR_OK} : if_gone;
    return rv;
  }
  [[nodiscard]] CK_RV named(CK_RV rv) const {
    const bool gone = rv == CKR_OBJECT_HANDLE_INVALID || verdict::is_without_object(rv);
    return gone && if_gone_ != CKR_OK ? if_gone_ : rv;
  }

 private:
  CK_RV if_gone_ = CKR_OK;
};

// `begin_operation` answers a C_*Init. `key` is null for operations without one.
CK_RV begin_operation(session_call& call,
                      operation which,
                      repeat how,
                      CK_MECHANISM* mechanism,
                      std::shared_ptr<object> key,
                      init_call begin);

// `begin_with_key` is begin_operation with the application's key handle.
CK_RV begin_with_key(session_call& call,
                     operation which,
                     repeat how,
                     CK_MECHANISM* mechanism,
                     CK_OBJECT_HANDLE key,
                     init_call begin);

// `restart_operation` begins a kept operation again in a fresh real session.
CK_RV restart_operation(session_call& call,
                        operation which,
                        running_operation what,
                        uint64_t& life);

// `ensure_begun` begins an operation again whose real session was lost before anything went into it.
// CKR_OPERATION_NOT_INITIALIZED if there is none.
CK_RV ensure_begun(session_call& call, operation which);

// `lost_in_operation` translates the answer of a call in an operation that could not be replayed:
// the session that it ran in is gone, so there is no operation any more.
CK_RV lost_in_operation(session_call& call, operation which, CK_RV rv);

// `log_signature` notes a finished signature in the log, if there is one.
void log_signature(const session_call& call, CK_MECHANISM_TYPE mechanism, time_point start);

// `direct` makes one call in a real session: run(vendor_module&, session handle). `how` decides
// what a loss means. `prepare()` makes the calls that come before it, in the same session: they are
// calls of their own, since a restart of the module that waits for one must not wait for the other.
template <class Prepare, class Run>
CK_RV direct(session_call& call, repeat how, Prepare&& prepare, Run&& run) {
  token& behind = call.behind();
  return behind.with_recovery(call.until, how, [&](uint64_t& life) -> CK_RV {
    if (const CK_RV rv = call.session.take_real(call.until, life); rv != CKR_OK) return rv;
    const auto inside = [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE session) {
      return run(behind.module(), session);
    };
    CK_RV rv = prepare();
    if (rv == CKR_OK) {
      rv = how == repeat::if_rejected ? behind.call_once(call.session.real(), call.until, inside)
                                      : behind.call(call.session.real(), call.until, inside);
    }
    if (loss_of(rv) == loss::session) call.session.lose_real();
    return rv;
  });
}
template <class Run>
CK_RV direct(session_call& call, repeat how, Run&& run) {
  return direct(
      call, how, [] { return CK_RV{CKR_OK}; }, run);
}

// `single_part` answers C_Sign and its like: the whole operation in one call, replayed after a
// loss.
template <class Run>
CK_RV single_part(
    session_call& call, operation which, repeat how, input in, output out, Run&& run) {
  virtual_session& session = call.session;
  if (!session.runs(which)) return CKR_OPERATION_NOT_INITIALIZED;
  token& behind = call.behind();
  const time_point start = steady::now();
  const CK_MECHANISM_TYPE mechanism = session.running(which).mechanism.type();
  const CK_ULONG capacity = out.length != nullptr ? *out.length : 0;
  const auto once = [&] {
    if (out.length != nullptr) *out.length = capacity;
    return behind.call(
        session.real(), call.until, [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE in_session) {
          return run(behind.module(), in_session);
        });
  };

  CK_RV rv = CKR_OK;
  if (!session.running(which).replayable || in.overlaps(out)) {
    rv = ensure_begun(call, which);
    if (rv == CKR_OK) rv = lost_in_operation(call, which, once());
  } else {
    const running_operation kept = session.running(which);
    bool begun = session.is_begun(which);
    rv = behind.with_recovery(call.until, how, [&](uint64_t& life) -> CK_RV {
      if (!begun) {
        const CK_RV again = restart_operation(call, which, kept, life);
        if (again != CKR_OK) return again;
      }
      begun = false;
      life = session.real().life();
      const CK_RV answer = once();
      // We did begin it in this session: a session that knows nothing of it is not the one that we
      // had.
      if (answer != CKR_OPERATION_NOT_INITIALIZED && loss_of(answer) != loss::session)
        return answer;
      session.lose_real();
      return CKR_SESSION_HANDLE_INVALID;
    });
    // Its key is gone, and the operation with it: no answer of C_Sign names a handle.
    if (rv == CKR_OBJECT_HANDLE_INVALID || verdict::is_without_object(rv))
      rv = CKR_OPERATION_NOT_INITIALIZED;
  }
  if (out.ends(rv)) session.ended(which, rv);
  if (rv == CKR_OK && which == operation::sign && out.buffer != nullptr)
    log_signature(call, mechanism, start);
  return rv;
}

// `step` makes one call inside an operation that goes on, whatever it answers (C_EncryptMessage).
template <class Run>
CK_RV step(session_call& call, operation which, Run&& run) {
  virtual_session& session = call.session;
  if (const CK_RV rv = ensure_begun(call, which); rv != CKR_OK) return rv;
  token& behind = call.behind();
  session.running(which).replayable = false;
  const CK_RV rv = behind.call(
      session.real(), call.until, [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE in_session) {
        return run(behind.module(), in_session);
      });
  return lost_in_operation(call, which, rv);
}

// `part` answers C_SignUpdate and its like. PKCS#11 v3.1 C_SignUpdate: "A call to C_SignUpdate
// which results in an error terminates the current signature operation."
template <class Run>
CK_RV part(session_call& call, operation which, output out, Run&& run) {
  const CK_RV rv = step(call, which, run);
  if (rv != CKR_OK && out.ends(rv)) call.session.ended(which, rv);
  return rv;
}

// `finish` answers C_SignFinal and its like.
template <class Run>
CK_RV finish(session_call& call, operation which, output out, Run&& run) {
  const CK_RV rv = step(call, which, run);
  if (out.ends(rv)) call.session.ended(which, rv);
  return rv;
}

}  // namespace hsmtls::pkcs11
