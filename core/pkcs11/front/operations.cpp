#include "core/pkcs11/front/operations.hpp"

#include <algorithm>
#include <utility>

#include "core/pkcs11/base/log.hpp"

namespace hsmtls::pkcs11 {
namespace {

// A session from the pool may hold an operation that its vendor did not end as the standard says.
constexpr int most_dirty_sessions = 3;

CK_RV begin_in_real(session_call& call, running_operation& what, uint64_t& life) {
  token& behind = call.behind();
  bool searched_anew = false;
  int dirty = 0;
  for (;;) {
    if (const CK_RV rv = call.session.take_real(call.until, life); rv != CKR_OK) return rv;
    CK_OBJECT_HANDLE key = 0;
    if (what.key != nullptr) {
      if (const CK_RV rv = resolve_in(call, *what.key, key); rv != CKR_OK) {
        if (loss_of(rv) == loss::session) call.session.lose_real();
        return rv;
      }
    }
    CK_MECHANISM mechanism = what.mechanism.get();
    const CK_RV rv = behind.call(
        call.session.real(), call.until, [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE session) {
          return what.begin(behind.module(), session, &mechanism, key);
        });
    if (loss_of(rv) == loss::object && what.key != nullptr) {
      // What lives only as long as the session is brought back by nothing, and a new session would
      // be its end if the vendor meant something else.
      if (!what.key->on_token()) return verdict::object_gone;
      // A handle that the vendor does not know any more: perhaps only its number is new.
      if (!std::exchange(searched_anew, true)) {
        what.key->distrust();
        continue;
      }
    }
    if (rv == CKR_OPERATION_ACTIVE && !call.session.is_bound() && dirty++ < most_dirty_sessions) {
      call.session.real().discard();
      continue;
    }
    if (loss_of(rv) == loss::session) call.session.lose_real();
    return rv;
  }
}

// A key that wants a login for each operation gets it from us in a view: nobody asks for the PIN.
CK_RV log_in_for_view(session_call& call, operation which) {
  virtual_session& session = call.session;
  session.running(which).context_login = true;  // also when it is begun again
  const CK_RV rv = call.behind().login_for_operation_with_known_pin(session.real(), call.until);
  if (rv == CKR_OK) return rv;
  if (loss_of(rv) == loss::session && session.running(which).replayable) {
    session.lose_real();
    return CKR_OK;
  }
  session.ended(which, rv);
  return rv;
}

}  // namespace

CK_RV checked_object(session_call& call,
                     CK_OBJECT_HANDLE handle,
                     CK_RV if_unknown,
                     std::shared_ptr<object>& out) {
  out = call.app.objects.find(handle);
  if (out == nullptr || &out->owner() != &call.behind()) return if_unknown;
  if (!call.session.shows(*out)) return if_unknown;
  // The other face's login is not the application's.
  if (out->is_private() && !call.session.logged_in()) return CKR_USER_NOT_LOGGED_IN;
  return CKR_OK;
}

CK_RV resolve_in(session_call& call, object& what, CK_OBJECT_HANDLE& out) {
  const lease& real = call.session.real();
  token& behind = call.behind();
  const bool is_key =
      what.object_class() == CKO_PRIVATE_KEY || what.object_class() == CKO_SECRET_KEY;
  // The login may have ended with the loss that this call is recovering from, and the other face's
  // is not the application's.
  if (what.is_private() && !call.session.logged_in()) return verdict::login_refused;
  // A search of ours must not meet one of the application's in the same session.
  const bool busy = call.session.runs(operation::find);
  lease other;
  if (busy && !what.is_settled_in(real.life())) {
    uint64_t life = 0;
    if (const CK_RV rv = behind.borrow(false, call.until, other, life); rv != CKR_OK) return rv;
  } else if (busy && is_key && !what.known_public_half()) {
    // What tells the key apart is better known, but a token may have no second session.
    constexpr milliseconds patience{100};
    uint64_t life = 0;
    (void)behind.borrow(false, std::min(call.until, steady::now() + patience), other, life);
  }
  if (other && other.life() != real.life()) return CKR_SESSION_HANDLE_INVALID;
  const lease& searching = other ? other : real;
  const CK_RV rv = what.resolve(searching, call.until, out);
  if (rv != CKR_OK || !is_key || (busy && !other)) return rv;
  const CK_RV learnt = what.learn_public_half(searching, call.until);
  // Not being able to read it is no reason to refuse a signature; a loss is found out by the call
  // itself.
  return loss_of(learnt) == loss::session ? learnt : CKR_OK;
}

CK_RV begin_operation(session_call& call,
                      operation which,
                      repeat how,
                      CK_MECHANISM* mechanism,
                      std::shared_ptr<object> key,
                      init_call begin) {
  virtual_session& session = call.session;
  if (mechanism == nullptr) {
    // PKCS#11 v3.1 C_SignInit: with a null mechanism the operation in progress is ended.
    if (!session.runs(which)) return CKR_ARGUMENTS_BAD;
    if (!session.is_begun(which)) {
      session.ended(which, CKR_OK);
      return CKR_OK;
    }
    const CK_RV rv = call.behind().call(
        session.real(), call.until, [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE in_session) {
          return begin(call.behind().module(), in_session, nullptr, 0);
        });
    if (rv == CKR_OK) session.ended(which, rv);
    if (loss_of(rv) != loss::session) return rv;
    session.lose_real();  // what was to be ended went with it
    session.ended(which, CKR_OK);
    return CKR_OK;
  }
  if (session.runs(which)) return CKR_OPERATION_ACTIVE;

  running_operation fresh;
  fresh.begin = begin;
  fresh.mechanism = kept_mechanism(*mechanism);
  const bool has_key = key != nullptr;
  fresh.key = std::move(key);
  fresh.replayable = fresh.mechanism.replayable();
  fresh.login_epoch = call.behind().login_epoch();
  const CK_RV rv = call.behind().with_recovery(call.until, how, [&](uint64_t& life) -> CK_RV {
    if (fresh.replayable) return begin_in_real(call, fresh, life);
    // Its parameter holds pointers, good only for the length of this very call.
    running_operation now = fresh;
    now.mechanism = kept_mechanism::borrowed(*mechanism);
    return begin_in_real(call, now, life);
  });
  if (rv == CKR_OK) {
    session.started(which, std::move(fresh));
    return rv;
  }
  const bool gone = rv == CKR_OBJECT_HANDLE_INVALID || verdict::is_without_object(rv);
  return has_key && gone ? CKR_KEY_HANDLE_INVALID : rv;
}

CK_RV begin_with_key(session_call& call,
                     operation which,
                     repeat how,
                     CK_MECHANISM* mechanism,
                     CK_OBJECT_HANDLE key,
                     init_call begin) {
  std::shared_ptr<object> what;
  if (mechanism != nullptr) {
    if (const CK_RV rv = checked_object(call, key, CKR_KEY_HANDLE_INVALID, what); rv != CKR_OK)
      return rv;
  }
  const bool in_view = mechanism != nullptr && call.session.through() != nullptr;
  const bool login = in_view && what->object_class() == CKO_PRIVATE_KEY &&
                     call.session.through()->wants_login_each_time();
  const CK_RV rv = begin_operation(call, which, how, mechanism, std::move(what), begin);
  return rv == CKR_OK && login ? log_in_for_view(call, which) : rv;
}

CK_RV restart_operation(session_call& call,
                        operation which,
                        running_operation what,
                        uint64_t& life) {
  call.session.ended(which, CKR_OK);
  const bool logged_out = what.key != nullptr && what.key->is_private() &&
                          what.login_epoch != call.behind().login_epoch();
  // PKCS#11 v3.1 C_Logout: its handle is void, also after another login.
  if (logged_out)
    return call.session.logged_in() ? CK_RV{CKR_OPERATION_NOT_INITIALIZED}
                                    : CK_RV{verdict::login_refused};
  if (const CK_RV rv = begin_in_real(call, what, life); rv != CKR_OK) return rv;
  call.session.started(which, what);
  if (!what.context_login) return CKR_OK;
  const CK_RV rv =
      call.behind().login_for_operation_with_known_pin(call.session.real(), call.until);
  if (loss_of(rv) == loss::session) call.session.lose_real();
  return rv;
}

CK_RV ensure_begun(session_call& call, operation which) {
  virtual_session& session = call.session;
  if (!session.runs(which)) return CKR_OPERATION_NOT_INITIALIZED;
  // The loss may be known to others already.
  if (session.real() && !call.behind().is_current(session.real().life())) session.lose_real();
  if (!session.runs(which)) return CKR_OPERATION_NOT_INITIALIZED;
  if (session.is_begun(which)) return CKR_OK;
  const running_operation kept = session.running(which);
  const CK_RV rv =
      call.behind().with_recovery(call.until, repeat::if_harmless, [&](uint64_t& life) {
        return restart_operation(call, which, kept, life);
      });
  if (rv == CKR_OK) return rv;
  session.ended(which, CKR_OK);
  // No answer of what goes on with an operation names its key.
  return loss_of(rv) == loss::object || verdict::is_without_object(rv)
             ? CK_RV{CKR_OPERATION_NOT_INITIALIZED}
             : rv;
}

void log_signature(const session_call& call, CK_MECHANISM_TYPE mechanism, time_point start) {
  if (!log::enabled()) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start);
  log::event(log::level::info,
             "signed",
             "token",
             call.behind().identity().label,
             "mechanism",
             mechanism_name(mechanism),
             "us",
             took.count());
}

CK_RV lost_in_operation(session_call& call, operation which, CK_RV rv) {
  // Only a call in an operation that we began comes here: a session that knows nothing of it is not
  // the one that we had.
  const bool gone = loss_of(rv) == loss::session || rv == CKR_OPERATION_NOT_INITIALIZED ||
                    verdict::is_verdict(rv);
  if (!gone || !call.session.runs(which)) return rv;
  call.session.lose_real();
  return rv == verdict::exiting ? rv : CKR_OPERATION_NOT_INITIALIZED;
}

}  // namespace hsmtls::pkcs11
