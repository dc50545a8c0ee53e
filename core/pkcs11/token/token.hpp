// A token, as long as the process lives: its pool of real sessions, its login, and how both come
// back after the token dropped them.
//
// A *life* is the time between two losses. Real session and object handles belong to one life; a
// call that brings a handle of an earlier life is turned away before it reaches the vendor, and a
// result that was computed across a loss is thrown away: handle numbers are used again by vendors,
// and a signature must never come from another key. Everything here may be called from any thread.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/base/deadline.hpp"
#include "core/pkcs11/base/refused_pins.hpp"
#include "core/pkcs11/base/secret.hpp"
#include "core/pkcs11/token/credentials.hpp"
#include "core/pkcs11/token/identity.hpp"
#include "core/pkcs11/token/loss.hpp"
#include "core/pkcs11/token/verdict.hpp"
#include "core/pkcs11/vendor/gate.hpp"
#include "core/pkcs11/vendor/vendor_module.hpp"

namespace hsmtls::pkcs11 {

class token;

// Somebody who wants to know what happens to a token. Called on the thread on which it happens,
// without a lock of ours.
class token_observer {
 public:
  virtual ~token_observer() = default;
  virtual void lost() noexcept = 0;
  virtual void restored(std::chrono::microseconds after) noexcept = 0;
};

// What happened to a token since the process began.
struct token_counters {
  uint64_t lost = 0;
  uint64_t restored = 0;
  uint64_t rebuild_attempts = 0;
  uint64_t open_sessions = 0;  // real ones, now
};

// Who uses the token: each face has sessions and a login of its own, and neither ends the other's.
enum class face { front, private_abi };

// A real session on loan from the token's pool; goes back when the lease ends.
class lease {
 public:
  lease() = default;
  lease(lease&& other) noexcept;
  lease& operator=(lease&& other) noexcept;
  ~lease();

  [[nodiscard]] CK_SESSION_HANDLE handle() const { return handle_; }
  [[nodiscard]] uint64_t life() const { return life_; }
  [[nodiscard]] bool writable() const { return writable_; }
  explicit operator bool() const { return token_ != nullptr; }

  // `give_back` ends the loan now. `discard` does, too, but closes the session: its state is not
  // trusted. `lose` leaves a session that the vendor called invalid to the recovery.
  void give_back();
  void discard();
  void lose();

 private:
  friend class token;
  token* token_ = nullptr;
  CK_SESSION_HANDLE handle_ = 0;
  uint64_t life_ = 0;
  bool writable_ = false;
};

class token final : private vendor_module::listener {
 public:
  token(vendor_module& module, CK_SLOT_ID slot);
  token(const token&) = delete;
  token& operator=(const token&) = delete;

  [[nodiscard]] vendor_module& module() { return module_; }
  [[nodiscard]] CK_SLOT_ID slot();
  [[nodiscard]] token_identity identity();

  // `moved_to` tells the token that one with identity `who` was seen in `slot`. Returns whether
  // that is this one; it then goes on there.
  bool moved_to(CK_SLOT_ID slot, const token_identity& who);

  // ---- sessions ---------------------------------------------------------------------------------

  // `borrow` lends an idle session, opens one, or waits until one comes back where the token gives
  // no more (then CKR_SESSION_COUNT at `until`). After a loss it first recovers. `life` is set in
  // any case: the life in which it worked or failed.
  CK_RV borrow(bool writable, time_point until, lease& out, uint64_t& life);

  // `call` makes one vendor call in a borrowed session: function(const CK_FUNCTION_LIST&, session
  // handle). If the session's life ended before or during the call, the answer is
  // CKR_SESSION_HANDLE_INVALID whatever the vendor said.
  template <class Function>
  CK_RV call(const lease& in, time_point until, Function&& function) {
    return call_in(in, until, true, function);
  }

  // `call_once` is `call` for what must not be done twice: an answer that was computed across a
  // loss counts.
  template <class Function>
  CK_RV call_once(const lease& in, time_point until, Function&& function) {
    return call_in(in, until, false, function);
  }

  // `usable_sessions` is how many the token gives at once, as far as it has said so.
  [[nodiscard]] size_t usable_sessions();

  // `is_current` tells whether `life` has not ended.
  [[nodiscard]] bool is_current(uint64_t life);

  // `release_idle` closes every idle session, so that the vendor sees none of ours that is not in
  // use.
  void release_idle();

  // ---- recovery ---------------------------------------------------------------------------------

  // `with_recovery` runs `attempt(life)` until it gives an answer that is no loss, or one that
  // `how` does not allow to repeat, or a verdict. `attempt` sets `life` to the life that it ran in.
  template <class Attempt>
  CK_RV with_recovery(time_point until, repeat how, Attempt&& attempt) {
    retries run;
    for (;;) {
      uint64_t life = 0;
      const CK_RV rv = attempt(life);
      if (!try_again(run, rv, life, until, how)) return run.answer;
    }
  }

  // `worth_recovering` tells whether `what`, seen outside any session, is about a token that was in
  // use.
  bool worth_recovering(loss what);
  // `recover_now` goes through the ladder, until the token is back or the time has come.
  CK_RV recover_now(loss what, time_point until);

  // An application's session on this token counts while it is open, also while it holds no real
  // one.
  void application_session_opened();
  void application_session_closed();
  [[nodiscard]] int application_sessions();

  void add_observer(std::shared_ptr<token_observer> one);
  void remove_observer(const token_observer* one);
  [[nodiscard]] token_counters counters();

  // ---- login ------------------------------------------------------------------------------------

  // `login` logs `who` in as CKU_USER or CKU_SO. CKR_OK also when the other face had already logged
  // in with this very PIN; CKR_USER_ALREADY_LOGGED_IN when somebody had with a PIN that we cannot
  // check. A PIN that the token once refused is refused here without a call.
  CK_RV login(face who, CK_USER_TYPE user, const credentials& with, time_point until);

  // `login_for_operation` is C_Login with CKU_CONTEXT_SPECIFIC, for a key that wants it for each
  // operation (CKA_ALWAYS_AUTHENTICATE), in the session of the operation. No `pin`: the token's PIN
  // pad.
  CK_RV login_for_operation(const lease& in,
                            std::optional<std::span<const uint8_t>> pin,
                            time_point until);

  // `login_for_operation_with_known_pin` is that with the user PIN that the token accepted;
  // CKR_USER_NOT_LOGGED_IN if there is none.
  CK_RV login_for_operation_with_known_pin(const lease& in, time_point until);

  // `logout` ends the login of `who`; the vendor is told when no face is left logged in.
  CK_RV logout(face who, time_point until);

  // `logout_if_unused` ends the application's login if it has no session open, in one step with
  // looking; returns whether it had none (PKCS#11 v3.1 C_CloseSession).
  bool logout_if_unused(time_point until);

  // `login_epoch` counts the ends of logins: handles of private objects are void after one, also
  // when somebody logged in again (PKCS#11 v3.1 C_Logout).
  [[nodiscard]] uint64_t login_epoch() const { return login_epoch_; }

  [[nodiscard]] std::optional<CK_USER_TYPE> logged_in(face who);

  // `login_pauses` tells whether logins failed so often that none is made without the user.
  [[nodiscard]] bool login_pauses();

  // `is_known_pin` tells whether `pin` is the user PIN that this token last accepted; nothing if
  // that is not known.
  [[nodiscard]] std::optional<bool> is_known_pin(std::span<const uint8_t> pin);

  // What to do about a token that says that one try is left, or none.
  enum class last_try {
    spared,  // look at its flags, and send no PIN
    risked,  // the caller insists, or has looked, or the PIN is known to be right
  };

  // `send_pin` makes a call that sends `pin` for `user`, from inside a noted vendor call. Not if the
  // token refused that PIN before (CKR_PIN_INCORRECT), nor on the last try (CKR_PIN_LOCKED); and one
  // at a time, among parent and children too. What it answers is remembered.
  template <class Send>
  CK_RV send_pin(CK_USER_TYPE user,
                 std::span<const uint8_t> pin,
                 time_point until,
                 last_try how,
                 Send&& send) {
    const refused_pins::turn mine(identity().key(), user, pin, until);
    if (!mine) return verdict::login_busy;
    if (const CK_RV refused = may_send(user, pin, how); refused != CKR_OK) return refused;
    const CK_RV rv = send();
    note_refused(user, rv, pin);
    return rv;
  }

  // `set_pin` is C_SetPIN for `user`, from inside a noted vendor call in `session`; `old_pin` is held
  // to the rules of every PIN that is sent. No PINs: the token's PIN pad.
  CK_RV set_pin(CK_SESSION_HANDLE session,
                CK_USER_TYPE user,
                std::optional<std::span<const uint8_t>> old_pin,
                std::span<const uint8_t> new_pin,
                time_point until);

  // `pin_changed` tells that the user PIN was changed by us to `pin`.
  void pin_changed(std::span<const uint8_t> pin);

  // `initialise` is C_InitToken, with the SO PIN held to the same rules as every other, and then
  // forget().
  CK_RV initialise(std::span<const uint8_t> so_pin, CK_UTF8CHAR* label, time_point until);

  // `forget` forgets sessions, logins, PIN and who the token was: the module was finalised, or
  // C_InitToken made another token of it.
  void forget();
  // `forget_if_unused` does so if nobody is logged in and no session is open: another card may
  // come.
  void forget_if_unused();

 private:
  friend class lease;

  struct real_session {
    CK_SESSION_HANDLE handle;
    bool writable;
  };

  // How often one operation was tried again, and with what result.
  struct retries {
    int rebuilds = 0;
    std::array<int, loss_kinds> failures{};  // by kind of loss
    milliseconds pause{0};                   // before the next look, where one waits
    CK_RV answer = CKR_OK;
  };

  // A session of an earlier life that a call was inside of when that life ended: closed when the
  // call has come out, so that none is left over in the vendor.
  struct stray {
    CK_SESSION_HANDLE handle;
    uint64_t restarts;  // in which life of the vendor's library it was opened
    bool returned = false;
  };

  // One attempt to bring the token back.
  struct rebuild_run {
    loss what = loss::none;
    bool fresh = false;  // whoever began it had not been waiting
    time_point until;    // its own patience: others than its caller wait for it, too
    bool news = false;   // nobody knew yet that the token is lost
    int attempt = 0;     // failed ones before it, and this
    bool second_rung = false;
    bool no_token = false;                  // it failed because no token was to be seen
    bool disturbed = false;                 // the module was restarted for another token meanwhile
    std::vector<CK_SESSION_HANDLE> doomed;  // sessions of the life that ended
    uint64_t restarts = 0;  // in which life of the vendor's library they were opened
    std::vector<std::shared_ptr<token_observer>> watching;
    // Guarded by the gate's lock.
    bool done = false;
    CK_RV answer = CKR_OK;
  };

  // session_pool.cpp
  template <class Function>
  CK_RV call_in(const lease& in, time_point until, bool discard_stale, Function&& function) {
    gate::call one;
    if (const CK_RV rv = enter(one, in, until); rv != CKR_OK) return rv;
    const CK_RV rv = function(module_.functions(), in.handle());
    const bool same_life = leave(one, in.life());
    return same_life || !discard_stale ? rv : CKR_SESSION_HANDLE_INVALID;
  }
  CK_RV enter(gate::call& one, const lease& in, time_point until);
  bool leave(gate::call& one, uint64_t life);
  CK_RV open_session(gate::lock& held, bool writable, lease& out);
  enum class fate { lend_again, close, leave };
  void take_back(lease& returned, fate next) noexcept;
  void close_one(gate::lock& held, CK_SESSION_HANDLE handle) noexcept;
  void close_in_vendor(gate::lock& held, CK_SESSION_HANDLE handle) noexcept;
  void close_strays(gate::lock& held) noexcept;
  void close_set_aside(gate::lock& held, bool even_the_last);
  [[nodiscard]] bool is_another(const token_identity& seen);
  // Says so in the log, and returns the verdict.
  CK_RV replaced_by_another();
  lease hand_out(real_session one);

  // rebuild.cpp
  bool try_again(retries& run, CK_RV rv, uint64_t life, time_point until, repeat how);
  // What helps against a loss, by what this run has tried already.
  enum class cure {
    none,     // it is an answer
    rebuild,  // the ladder, from its first rung
    restart,  // the ladder, from its second
    wait,     // nothing that we do: it may come back by itself
  };
  cure cure_for(retries& run, loss what, uint64_t life);
  // A pause before another look; false if the caller's time has come.
  bool wait_for_change(retries& run, uint64_t life, time_point until);
  // `restart`: sessions were made anew in vain, go to rung 2.
  // `fresh`: the caller has not been waiting for this token yet.
  CK_RV recover(uint64_t seen, loss what, bool restart, bool fresh, time_point until);
  // begin_rebuild notes, with the lock held, that the token is being brought back; carry_out does
  // it.
  std::shared_ptr<rebuild_run> begin_rebuild(loss what, bool restart, bool fresh, time_point until);
  void carry_out(rebuild_run& run) noexcept;
  // Waits for those who are inside, for a while; who does not come out is left behind.
  void clear_out(rebuild_run& run);
  CK_RV climb(rebuild_run& run);
  CK_RV find_slot_again(rebuild_run& run, CK_TOKEN_INFO& info);
  [[nodiscard]] CK_RV time_is_up() const;
  void end_life() noexcept;
  void forget_all();  // forget(), with the lock held
  void library_restarted() noexcept override;
  [[nodiscard]] bool working() const noexcept override;
  template <class Function>
  CK_RV call_alone(rebuild_run& run, CK_SESSION_HANDLE session, Function&& function);

  // login.cpp, pins.cpp
  CK_RV login_for_operation(const lease& in,
                            std::optional<std::span<const uint8_t>> pin,
                            last_try how,
                            time_point until);
  CK_RV first_login(face who, CK_USER_TYPE user, const credentials& with, time_point until);
  // Logs in again in a new session, by the PIN that the token accepted; from inside a noted vendor
  // call.
  CK_RV login_again(CK_SESSION_HANDLE session, const CK_TOKEN_INFO& info, uint64_t life);
  static CK_RV refused_by_flags(const CK_TOKEN_INFO& info, CK_USER_TYPE user);
  class login_turn;
  // Ends the login of `who`, with the lock held; whether the vendor is to be told now.
  bool end_login(face who);
  // Where the vendor says that somebody is logged in, and it may be a login of ours that nobody wants
  // any more: ends it. CKR_OK: it did; else what the vendor said, or that it is somebody else's.
  CK_RV end_login_of_the_past(const lease& in, time_point until);
  [[nodiscard]] bool login_may_linger();
  // Whether the vendor believes in a login that nobody wants any more.
  [[nodiscard]] bool owes_logout();
  // Within a login_turn. CKR_OK: the vendor knows that nobody is logged in.
  CK_RV logout_in_vendor(time_point until);
  // The PIN that the token accepted, from memory or read again; an empty secret if it is not to be
  // had.
  secret known_pin();
  // Returns true when login failed so often in a row that it pauses.
  bool note_login_result(CK_RV rv);
  bool count_login_failure(CK_RV rv);  // the same, with the lock held
  // Whether somebody waits for a login that is not tried just now. With the lock held, as the next
  // one.
  [[nodiscard]] bool automatic_login_pauses() const;
  void forget_logins();
  // send_pin for what the user gave. Where there is no PIN pad, no PIN is an empty one; what is
  // typed at a pad may be something else the next time.
  template <class Send>
  CK_RV send_given_pin(CK_USER_TYPE user,
                       std::optional<std::span<const uint8_t>> pin,
                       time_point until,
                       last_try how,
                       Send&& send) {
    bool typed = false;
    {
      auto held = gate_.hold();
      typed = !pin && pin_pad_;
    }
    if (!typed) return send_pin(user, pin.value_or(std::span<const uint8_t>()), until, how, send);
    const CK_RV refused = may_try(user, how);
    return refused == CKR_OK ? send() : refused;
  }
  // CKR_OK, or why `pin` is not sent: it was refused before, or it might be the last try. Says so in
  // the log.
  CK_RV may_send(CK_USER_TYPE user, std::span<const uint8_t> pin, last_try how);
  // CKR_OK, or what the token's flags say against a login.
  CK_RV may_try(CK_USER_TYPE user, last_try how);
  // Remembers that `pin` is wrong, if that is what `rv` says.
  void note_refused(CK_USER_TYPE user, CK_RV rv, std::span<const uint8_t> pin);
  [[nodiscard]] std::optional<CK_USER_TYPE> wanted_login() const;
  [[nodiscard]] std::optional<CK_USER_TYPE>& login_of(face who) {
    return logins_[static_cast<int>(who)];
  }

  vendor_module& module_;
  gate& gate_;
  std::atomic<uint64_t> login_epoch_{0};
  std::atomic<bool> paced_{false};  // pause_ is not 0: asked after each operation, without the lock

  // All below: guarded by the gate's lock.
  CK_SLOT_ID slot_;
  token_identity identity_;
  int application_sessions_ = 0;

  uint64_t life_ = 1;
  bool lost_ = false;               // no session of this life is known to work yet
  bool unused_ = false;             // everybody left while it was being brought back
  bool rebuilding_ = false;         // somebody is bringing the token back, alone
  std::vector<real_session> open_;  // every real session of this life
  std::vector<real_session> idle_;  // those not on loan
  std::vector<stray> strays_;
  std::vector<CK_SESSION_HANDLE>
      set_aside_;  // neither lent nor closed yet: to be closed when there is a good moment
  time_point opening_since_{};
  bool opening_ =
      false;  // C_OpenSession runs: one at a time, tpm2-pkcs11 1.9.0 gives two threads one handle
  std::optional<size_t> session_limit_;  // learnt from CKR_SESSION_COUNT
  time_point session_limit_ends_{};

  std::optional<CK_USER_TYPE> logins_[2];   // by face
  std::optional<CK_USER_TYPE> real_login_;  // what the vendor believes, in this life
  bool login_may_linger_ = false;  // a session of an earlier life may still carry our login
  bool login_changes_ = false;     // a login or logout is under way: see login_turn
  secret pin_;                     // the user PIN that the token accepted
  pin_reader read_pin_again_;      // where it is read again instead
  bool pin_pad_ = false;           // a login without a PIN is typed at the token
  int login_failures_ = 0;         // in a row, other than a refused PIN
  time_point breaker_ends_{};

  std::optional<time_point> lost_since_;
  time_point rebuilding_since_{};
  time_point last_attempt_{}, next_attempt_{};
  milliseconds pause_{0};
  std::vector<std::shared_ptr<token_observer>> observers_;
  token_counters counters_;
  int failed_climbs_ = 0;       // in a row
  bool seen_no_token_ = false;  // the last one failed because no token was to be seen
  time_point next_restart_on_suspicion_{};
  bool stuck_ = false;  // the last attempt could not go on because of a call that never returns
};

}  // namespace hsmtls::pkcs11
