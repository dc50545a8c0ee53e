// The public face's user: one application in PKCS#11's sense, however many libraries of the process
// call us.
#pragma once

#include <atomic>
#include <memory>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/front/handle_table.hpp"
#include "core/pkcs11/front/honest.hpp"
#include "core/pkcs11/front/object_table.hpp"
#include "core/pkcs11/front/saved_states.hpp"
#include "core/pkcs11/front/virtual_session.hpp"
#include "core/pkcs11/runtime/runtime.hpp"

namespace hsmtls::pkcs11 {

class application {
 public:
  // `current` returns this process's application; a forked child has a new one.
  static application& current();

  [[nodiscard]] runtime& process() { return runtime_; }
  [[nodiscard]] bool initialised() const { return users_ > 0; }

  CK_RV initialise(void* reserved);
  CK_RV finalise();

  // `wait_for_finalise` waits for the application to finalise, at most `most`; returns whether it
  // did.
  bool wait_for_finalise(milliseconds most);

  handle_table<virtual_session> sessions;
  object_table objects;
  saved_states states;

  // `close_sessions` closes the application's sessions on a slot, and its login there if it is the
  // token's own.
  void close_sessions(CK_SLOT_ID slot, token& behind);
  // `session_closed` does what follows from the end of one session.
  void session_closed(CK_SESSION_HANDLE handle, std::shared_ptr<virtual_session> session);

 private:
  application(runtime& process, const application* parent) : runtime_(process), parent_(parent) {}
  void close_sessions_in_view(CK_SLOT_ID slot);
  // What follows from sessions that are not in the table any more.
  static void closed(std::vector<std::shared_ptr<virtual_session>> taken);
  // Logs out and lets go of the token, unless another session is open there.
  void last_session_closed(token& behind);

  runtime& runtime_;
  const application* const
      parent_;            // of the process that we were forked from; kept, so that nothing leaks
  std::mutex lifecycle_;  // guards what is below; never held across a vendor call
  std::condition_variable changed_;
  std::atomic<int> users_{0};  // read without the lock
  bool finalising_ = false;    // the last user's sessions are being closed
};

// One call of the application in one of its sessions.
struct session_call {
  application& app;
  virtual_session& session;
  CK_SESSION_HANDLE handle;
  time_point until;

  [[nodiscard]] token& behind() const { return session.behind(); }
};

// `contained` runs a C_* function's body: no exception leaves it.
template <class Body>
CK_RV contained(Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return CKR_HOST_MEMORY;
  } catch (...) {
    return CKR_GENERAL_ERROR;
  }
}

// `guarded` is `contained` for what speaks of real sessions: the application is told about its own.
template <class Body>
CK_RV guarded(Body&& body) noexcept {
  return contained([&] { return honest(body()); });
}

// `in_session` runs body(session_call&) with exclusive use of the application's session `handle`.
template <class Body>
CK_RV in_session(CK_SESSION_HANDLE handle, Body&& body) noexcept {
  return contained([&]() -> CK_RV {
    application& app = application::current();
    if (!app.initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
    const auto session = app.sessions.find(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    return guarded([&]() -> CK_RV {
      const time_point until = steady::now() + settings().deadline;
      const virtual_session::use use(*session, until);
      if (!use) return CKR_OPERATION_ACTIVE;
      if (session->through() != nullptr) {
        if (const CK_RV rv = session->through()->keep_login(until); rv != CKR_OK) return rv;
      }
      session_call call{app, *session, handle, until};
      return body(call);
    });
  });
}

// One call of the application about a slot.
struct slot_call {
  application& app;
  token& behind;
  const std::shared_ptr<view>& through;  // null: the token's own slot
  time_point until;
};

// `on_slot` runs body(slot_call&) for one of our slot numbers.
template <class Body>
CK_RV on_slot(CK_SLOT_ID slot, Body&& body) noexcept {
  return contained([&]() -> CK_RV {
    application& app = application::current();
    if (!app.initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
    return guarded([&]() -> CK_RV {
      const time_point until = steady::now() + settings().deadline;
      const auto through = is_view(slot) ? app.process().find_view(slot) : nullptr;
      token* behind = app.process().find(slot);
      if (through != nullptr) {
        if (const CK_RV rv = through->bind(until, behind); rv != CKR_OK) return rv;
      } else if (behind == nullptr && !is_view(slot)) {
        // Perhaps the application has the number from its configuration and never listed the slots.
        std::vector<runtime::slot> all;
        app.process().slots(app.process().modules(face::front), false, until, all);
        behind = app.process().find(slot);
      }
      if (behind == nullptr) return CKR_SLOT_ID_INVALID;
      slot_call call{app, *behind, through, until};
      return body(call);
    });
  });
}

}  // namespace hsmtls::pkcs11
