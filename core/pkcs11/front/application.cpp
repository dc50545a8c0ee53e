#include "core/pkcs11/front/application.hpp"

namespace hsmtls::pkcs11 {

application& application::current() {
  static std::atomic<application*> this_process{nullptr};
  runtime& process = runtime::current();
  application* existing = this_process.load();
  if (existing != nullptr && &existing->runtime_ == &process) return *existing;
  // The first call, or the first in a forked child: the parent's application stays behind
  // untouched.
  std::unique_ptr<application> fresh(new application(process, existing));
  if (!this_process.compare_exchange_strong(existing, fresh.get())) return *existing;
  application* const ours = fresh.release();
  process.when_view_closes([ours](CK_SLOT_ID slot) { ours->close_sessions_in_view(slot); });
  return *ours;
}

CK_RV application::initialise(void* reserved) {
  // Each user counts there, too, and no lock of ours is held: a C_Initialize that hangs keeps only
  // its caller.
  if (const CK_RV rv = runtime_.attach(reserved, face::front); rv != CKR_OK) return rv;
  {
    std::unique_lock held(lifecycle_);
    const time_point until = steady::now() + settings().deadline;
    if (changed_.wait_until(held, until, [&] { return !finalising_; })) {
      ++users_;
      return CKR_OK;
    }
  }
  runtime_.detach();
  return CKR_FUNCTION_FAILED;
}

CK_RV application::finalise() {
  bool last = false;
  {
    std::lock_guard held(lifecycle_);
    if (users_ == 0) return CKR_CRYPTOKI_NOT_INITIALIZED;
    last = --users_ == 0;
    finalising_ = last;
  }
  if (last) {
    changed_.notify_all();
    closed(sessions.take_if([](const virtual_session&) { return true; }));
    objects.forget_session_objects();
    for (token* one : runtime_.tokens(face::front)) last_session_closed(*one);
    {
      std::lock_guard held(lifecycle_);
      finalising_ = false;
    }
    changed_.notify_all();
  }
  runtime_.detach();
  return CKR_OK;
}

bool application::wait_for_finalise(milliseconds most) {
  std::unique_lock held(lifecycle_);
  return changed_.wait_for(held, most, [&] { return users_ == 0; });
}

void application::closed(std::vector<std::shared_ptr<virtual_session>> taken) {
  for (const auto& one : taken) {
    if (one->through() == nullptr) one->behind().application_session_closed();
  }
}

void application::last_session_closed(token& behind) {
  // PKCS#11 v3.1 C_CloseSession: with its last session the application is logged out.
  if (!behind.logout_if_unused(steady::now() + settings().deadline)) return;
  if (behind.logged_in(face::private_abi)) return;
  behind.release_idle();
  behind.forget_if_unused();
}

void application::session_closed(CK_SESSION_HANDLE handle,
                                 std::shared_ptr<virtual_session> session) {
  // A view's makes no objects, and is none of those that a login of the application lives by.
  if (session->through() != nullptr) return;
  objects.remove_created_in(handle);
  token& behind = session->behind();
  behind.application_session_closed();
  session.reset();  // gives the real session back, unless a call of another thread still runs in it
  last_session_closed(behind);
}

void application::close_sessions(CK_SLOT_ID slot, token& behind) {
  if (is_view(slot)) {
    close_sessions_in_view(slot);
    return;
  }
  closed(sessions.take_if([&](const virtual_session& one) { return one.slot() == slot; }));
  objects.remove_session_objects(behind);
  last_session_closed(behind);
}

void application::close_sessions_in_view(CK_SLOT_ID slot) {
  sessions.take_if([&](const virtual_session& one) { return one.slot() == slot; });
}

}  // namespace hsmtls::pkcs11
