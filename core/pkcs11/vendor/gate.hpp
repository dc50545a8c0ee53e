// The gate between calls in flight and what must run alone.
//
// One per vendor module, and with it the one mutex that guards the small state of the module and
// its tokens. No lock is ever held across a vendor call: a call is noted when it goes in and struck
// off when it comes out. Whoever needs to be alone drains: new calls wait, those in flight are
// waited for, and one that does not come out within the grace is marked as stuck and not waited for
// again.
#pragma once

#include <condition_variable>
#include <mutex>

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/base/deadline.hpp"

namespace hsmtls::pkcs11 {

class gate {
 public:
  using lock = std::unique_lock<std::mutex>;

  // One call inside the vendor's module; lives on the calling thread's stack. An exception that
  // passes through strikes it off: its end must not come with the lock held.
  struct call {
    call() = default;
    ~call();
    call(const call&) = delete;
    call& operator=(const call&) = delete;

    const void* owner = nullptr;    // the token it is for; null: the module as a whole
    CK_SESSION_HANDLE session = 0;  // the real session it is in; 0: none
    bool stuck = false;
    gate* in = nullptr;  // where it is noted; null: it is not inside
    call* next = nullptr;
    call* previous = nullptr;
  };

  enum class phase {
    open,
    draining,  // somebody waits to be alone
    alone,     // somebody is alone: the module is being finalised and initialised
    closed,    // the process exits: nobody goes in any more
  };

  gate() = default;
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  [[nodiscard]] lock hold() { return lock(mutex_); }

  // `wait` waits until `condition()` holds or the time has come; returns the condition's last
  // value.
  template <class Condition>
  bool wait(lock& held, time_point until, Condition&& condition) {
    if (condition()) return true;
    ++waiting_;
    const bool held_true = changed_.wait_until(held, until, condition);
    --waiting_;
    return held_true;
  }

  void announce() {
    if (waiting_ > 0) changed_.notify_all();
  }

  // All below: with the lock held.
  [[nodiscard]] phase state() const {
    return phase_ == phase::open && forks_ > 0 ? phase::draining : phase_;
  }
  void go_to(phase next) {
    if (phase_ == phase::closed) return;  // closed is for ever
    phase_ = next;
    announce();
  }

  void enter(call& one);
  void leave(call& one);

  // `drain` waits until no call of `owner` (null: of anybody) is inside, or marks what is left as
  // stuck. Returns false if any call is stuck inside.
  bool drain(lock& held, time_point until, const void* owner);

  // `hold_for_fork` lets nobody in until `go_on_after_fork`, and waits for those inside, marking
  // nobody: a child inherits the vendor's locks as they are at the fork, and nobody in the child
  // would open them.
  void hold_for_fork(lock& held, time_point until);
  void go_on_after_fork();

  // `is_stuck` tells whether a call that was given up is still inside `session` of `owner`.
  [[nodiscard]] bool is_stuck(const void* owner, CK_SESSION_HANDLE session) const;
  [[nodiscard]] bool any_stuck() const;

 private:
  template <class Condition>
  bool any(Condition&& condition) const {
    for (const call* one = inside_; one != nullptr; one = one->next) {
      if (condition(*one)) return true;
    }
    return false;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  phase phase_ = phase::open;
  int forks_ = 0;  // threads that are about to fork
  call* inside_ = nullptr;
};

}  // namespace hsmtls::pkcs11
