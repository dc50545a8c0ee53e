// Who is logged in, how that comes back after a loss, and that what fails again and again is left
// alone. The rules for PINs are in pins.cpp.
#include <algorithm>
#include <thread>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/base/refused_pins.hpp"
#include "core/pkcs11/token/token.hpp"
#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {
namespace {

// A TPM also counts unclean resets as failed authentications: after this many failures in a row,
// automatic login pauses.
constexpr int most_login_failures = 5;
constexpr std::chrono::seconds breaker_pause{30};
// How long a logout waits for a session, where others have them all.
constexpr milliseconds patience_for_a_session{250};

CK_RV login_in_vendor(const CK_FUNCTION_LIST& vendor,
                      CK_SESSION_HANDLE session,
                      CK_USER_TYPE user,
                      std::optional<std::span<const uint8_t>> pin) {
  auto* bytes = pin ? const_cast<CK_UTF8CHAR*>(pin->data()) : nullptr;
  const auto length = static_cast<CK_ULONG>(pin ? pin->size() : 0);
  // SoftHSM 2.6.1, measured: while another process logs in, the token may look as if it had no user
  // PIN for a moment. No PIN was compared, so asking again costs no try.
  constexpr int most_tries = 5;
  CK_RV rv = CKR_OK;
  for (int i = 0; i < most_tries; ++i) {
    rv = invoke(vendor.C_Login, session, user, bytes, length);
    if (rv != CKR_USER_PIN_NOT_INITIALIZED) break;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return rv;
}

CK_RV login_by_name(const CK_FUNCTION_LIST_3_0* vendor,
                    CK_SESSION_HANDLE session,
                    CK_USER_TYPE user,
                    const credentials& with) {
  if (vendor == nullptr) return CKR_FUNCTION_NOT_SUPPORTED;
  auto* pin = with.pin ? const_cast<CK_CHAR*>(with.pin->data()) : nullptr;
  return invoke(vendor->C_LoginUser,
                session,
                user,
                pin,
                static_cast<CK_ULONG>(with.pin ? with.pin->size() : 0),
                const_cast<CK_UTF8CHAR*>(with.user_name->data()),
                static_cast<CK_ULONG>(with.user_name->size()));
}

}  // namespace

std::optional<CK_USER_TYPE> token::wanted_login() const {
  return logins_[0] ? logins_[0] : logins_[1];
}

std::optional<CK_USER_TYPE> token::logged_in(face who) {
  auto held = gate_.hold();
  return login_of(who);
}

bool token::automatic_login_pauses() const {
  return wanted_login() && !real_login_ && steady::now() < breaker_ends_;
}

void token::forget_logins() {
  if (wanted_login()) ++login_epoch_;
  for (auto& one : logins_) one.reset();
  pin_ = secret();
  read_pin_again_ = nullptr;
}

// The right to change who is logged in: one login or logout at a time. Of several threads that have
// the same wrong PIN one may send it, and no C_Logout follows somebody else's C_Login.
class token::login_turn {
 public:
  login_turn(token& of, time_point until) : of_(of) {
    auto held = of_.gate_.hold();
    const bool free = of_.gate_.wait(held, until, [&] {
      return !of_.login_changes_ || of_.gate_.state() == gate::phase::closed;
    });
    if (of_.gate_.state() == gate::phase::closed)
      answer_ = verdict::exiting;
    else if (!free)
      answer_ = of_.time_is_up();
    else
      of_.login_changes_ = true;
  }
  ~login_turn() {
    if (answer_ != CKR_OK) return;
    auto held = of_.gate_.hold();
    of_.login_changes_ = false;
    of_.gate_.announce();
  }
  login_turn(const login_turn&) = delete;
  login_turn& operator=(const login_turn&) = delete;

  // CKR_OK, or why it was not to be had.
  [[nodiscard]] CK_RV answer() const { return answer_; }

 private:
  token& of_;
  CK_RV answer_ = CKR_OK;
};

CK_RV token::login(face who, CK_USER_TYPE user, const credentials& with, time_point until) {
  const login_turn turn(*this, until);
  if (turn.answer() != CKR_OK) return turn.answer();
  bool another = false;
  {
    auto held = gate_.hold();
    // Nobody is logged in in fact, and whoever logs in now knows better than our pause.
    if (automatic_login_pauses()) forget_logins();
    if (const auto mine = login_of(who)) {
      return *mine == user ? CKR_USER_ALREADY_LOGGED_IN : CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    }
    if (const auto theirs = wanted_login()) {
      if (*theirs != user) return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
      another = true;
    }
  }
  if (!another) return first_login(who, user, with, until);
  const secret known = with.pin ? known_pin() : secret();
  if (known && !known.equals(*with.pin)) return CKR_PIN_INCORRECT;
  {
    auto held = gate_.hold();
    if (wanted_login()) {
      login_of(who) = user;
      return known ? CKR_OK : CKR_USER_ALREADY_LOGGED_IN;
    }
  }
  return first_login(who, user, with, until);  // a recovery gave the other's login up meanwhile
}

CK_RV token::first_login(face who, CK_USER_TYPE user, const credentials& with, time_point until) {
  const auto& pin = with.pin;
  // A logout that the vendor was not told of: it would take any PIN for the one that it knows.
  if (owes_logout()) {
    if (const CK_RV rv = logout_in_vendor(until); rv != CKR_OK) return rv;
  }
  // PKCS#11 v3.1 C_Login: the security officer cannot log in while a read-only session is open.
  if (user == CKU_SO) release_idle();
  CK_RV last = CKR_OK;
  int hard_answers = login_pauses() ? 1 : 0;
  const CK_RV rv = with_recovery(until, repeat::freely, [&](uint64_t& life) -> CK_RV {
    lease in;
    if (const CK_RV got = borrow(user == CKU_SO, until, in, life); got != CKR_OK) return got;
    CK_TOKEN_INFO info{};
    const CK_RV told = call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE) {
      return invoke(vendor.C_GetTokenInfo, slot(), &info);
    });
    if (told != CKR_OK) return told;
    if (is_another(token_identity::of(info))) return replaced_by_another();
    // A warning only: SoftHSM keeps the flag for ever after one mistake.
    if ((info.flags & (user == CKU_SO ? CKF_SO_PIN_COUNT_LOW : CKF_USER_PIN_COUNT_LOW)) != 0) {
      log::event(log::level::warning, "pin-count-low", "token", unpadded(info.label));
    }
    {
      auto held = gate_.hold();
      pin_pad_ = (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    }
    const auto send = [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) -> CK_RV {
      return with.user_name ? login_by_name(module_.functions_v3(), session, user, with)
                            : login_in_vendor(vendor, session, user, pin);
    };
    const auto log_in = [&] {
      return call_once(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        const last_try how = with.insist ? last_try::risked : last_try::spared;
        return send_given_pin(user, pin, until, how, [&] { return send(vendor, session); });
      });
    };
    last = log_in();
    // A login of ours that nobody wants any more says nothing about this PIN.
    if (last == CKR_USER_ALREADY_LOGGED_IN && login_may_linger()) {
      last = end_login_of_the_past(in, until);
      if (last == CKR_OK) last = log_in();
    }
    // Some vendors answer a wrong PIN like this: what may be one is not sent five times.
    const bool repeated =
        note_login_result(last) || (loss_of(last) == loss::hard && ++hard_answers >= 2);
    if (last == CKR_OK || last == CKR_USER_ALREADY_LOGGED_IN) {
      auto held = gate_.hold();
      if (in.life() != life_) return CKR_SESSION_HANDLE_INVALID;
      login_of(who) = user;
      real_login_ = user;
      if (last == CKR_OK && user == CKU_USER && pin && !with.user_name) {
        read_pin_again_ = with.read_again;
        pin_ = with.read_again || with.forget ? secret() : secret(*pin);
      }
    }
    return repeated ? verdict::login_refused : last;
  });
  return rv == verdict::login_refused ? last : rv;
}

CK_RV token::login_for_operation(const lease& in,
                                 std::optional<std::span<const uint8_t>> pin,
                                 time_point until) {
  // The PIN that the token accepted costs no try: three calls for a signature, not four.
  const bool known = pin && is_known_pin(*pin) == true;
  return login_for_operation(in, pin, known ? last_try::risked : last_try::spared, until);
}

CK_RV token::login_for_operation_with_known_pin(const lease& in, time_point until) {
  if (login_pauses()) return verdict::login_refused;
  const secret known = known_pin();
  if (!known) return CKR_USER_NOT_LOGGED_IN;
  return login_for_operation(in, known.bytes(), last_try::risked, until);
}

CK_RV token::login_for_operation(const lease& in,
                                 std::optional<std::span<const uint8_t>> pin,
                                 last_try how,
                                 time_point until) {
  // The turn is taken inside the call: while a rebuild waits for a turn, nobody who has one may
  // wait for the rebuild.
  const CK_RV rv =
      call_once(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        // It is the user's PIN that the key asks for: refused as the one means refused as the
        // other.
        return send_given_pin(CKU_USER, pin, until, how, [&] {
          return login_in_vendor(vendor, session, CKU_CONTEXT_SPECIFIC, pin);
        });
      });
  note_login_result(rv);
  return rv;
}

bool token::login_pauses() {
  auto held = gate_.hold();
  return steady::now() < breaker_ends_;
}

bool token::note_login_result(CK_RV rv) {
  auto held = gate_.hold();
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
    login_failures_ = 0;
    breaker_ends_ = {};  // the application logged in by itself: whatever it was, it is over
    return false;
  }
  // A refused PIN counts when it is refused, not when it is withheld.
  if (loss_of(rv) != loss::hard && rv != CKR_FUNCTION_FAILED) return false;
  return count_login_failure(rv);
}

bool token::count_login_failure(CK_RV rv) {
  if (++login_failures_ < most_login_failures) return false;
  breaker_ends_ = steady::now() + breaker_pause;
  log::event(log::level::error,
             "login-paused",
             "token",
             identity_.label,
             "failures",
             login_failures_,
             "rv",
             rv_name(rv));
  return true;
}

CK_RV token::login_again(CK_SESSION_HANDLE session, const CK_TOKEN_INFO& info, uint64_t life) {
  CK_USER_TYPE user = CKU_USER;
  {
    auto held = gate_.hold();
    if (real_login_) return CKR_OK;
    if (automatic_login_pauses()) return verdict::login_refused;
    if (!wanted_login()) return CKR_OK;  // logged out meanwhile
    user = *wanted_login();
  }
  // The security officer's PIN is never kept.
  const secret pin = user == CKU_USER ? known_pin() : secret();
  const auto give_up = [&](std::string_view reason) {
    // Nobody is logged in any more, and everybody may log in anew.
    log::event(log::level::error, "login-needed", "token", unpadded(info.label), "reason", reason);
    auto held = gate_.hold();
    forget_logins();
    return CKR_OK;
  };
  if (!pin) return give_up("the PIN is not known here");
  if ((info.flags & CKF_USER_PIN_TO_BE_CHANGED) != 0)
    return give_up("the token wants its PIN changed");
  if (refused_by_flags(info, user) != CKR_OK)
    return give_up("the token's PIN is locked or on its last try");

  // The flags were read just now.
  const CK_RV rv =
      send_pin(user, pin.bytes(), steady::now() + settings().deadline, last_try::risked, [&] {
        return login_in_vendor(module_.functions(), session, user, pin.bytes());
      });
  if (note_login_result(rv)) return verdict::login_refused;
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
    {
      auto held = gate_.hold();
      if (wanted_login()) {
        if (life == life_) real_login_ = user;
        return CKR_OK;
      }
    }
    // Everybody logged out while we logged in.
    const CK_RV ended = invoke(module_.functions().C_Logout, session);
    auto held = gate_.hold();
    login_may_linger_ = ended != CKR_OK;
    return CKR_OK;
  }
  if (refused_pins::contains(identity().key(), user, pin.bytes())) {
    return give_up("the token no longer takes the PIN");
  }
  if (rv == CKR_PIN_LOCKED || rv == CKR_PIN_EXPIRED) return give_up(rv_name(rv));
  return rv;
}

CK_RV token::logout(face who, time_point until) {
  const login_turn turn(*this, until);
  {
    auto held = gate_.hold();
    if (!login_of(who)) return CKR_USER_NOT_LOGGED_IN;
    if (!end_login(who) || turn.answer() != CKR_OK) return CKR_OK;
  }
  // Nobody is logged in here, whatever comes of it: what the vendor could not be told now, it is
  // told before the next login.
  const CK_RV rv = logout_in_vendor(until);
  return loss_of(rv) == loss::none && !verdict::is_verdict(rv) ? rv : CKR_OK;
}

bool token::logout_if_unused(time_point until) {
  const login_turn turn(*this, until);
  {
    auto held = gate_.hold();
    // A session that another thread opened meanwhile has the login that is there.
    if (application_sessions_ > 0) return false;
    if (!login_of(face::front)) return true;
    if (!end_login(face::front) || turn.answer() != CKR_OK) return true;
  }
  logout_in_vendor(until);
  return true;
}

bool token::end_login(face who) {
  login_of(who).reset();
  if (wanted_login()) return false;
  ++login_epoch_;
  pin_ = secret();
  read_pin_again_ = nullptr;
  return real_login_ && !lost_ && !rebuilding_;
}

bool token::owes_logout() {
  auto held = gate_.hold();
  return real_login_ && !wanted_login();
}

bool token::login_may_linger() {
  auto held = gate_.hold();
  return login_may_linger_;
}

CK_RV token::end_login_of_the_past(const lease& in, time_point until) {
  const CK_RV rv =
      call_once(in, until, [](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        return invoke(vendor.C_Logout, session);
      });
  if (rv != CKR_OK && rv != CKR_USER_NOT_LOGGED_IN) return rv;
  auto held = gate_.hold();
  login_may_linger_ = false;
  return CKR_OK;
}

CK_RV token::logout_in_vendor(time_point until) {
  lease in;
  uint64_t life = 0;
  CK_RV rv = borrow(false, std::min(until, steady::now() + patience_for_a_session), in, life);
  // A machine that is slow is no reason for what follows, only a token without a free session is.
  if (rv == verdict::deadline) rv = borrow(false, until, in, life);
  if (rv == CKR_OK) {
    rv = call_once(in, until, [](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
      return invoke(vendor.C_Logout, session);
    });
    in.give_back();
  }
  {
    auto held = gate_.hold();
    if (rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN) {
      real_login_.reset();
      login_may_linger_ = false;
    }
    if (!real_login_) {
      // The end of the last session ends the life, too.
      while (idle_.size() == open_.size() && !idle_.empty() && gate_.state() == gate::phase::open &&
             !rebuilding_) {
        close_one(held, idle_.back().handle);
      }
      return CKR_OK;
    }
    life = life_;
  }
  // No session to be had, or the vendor refuses: with its last session a login ends in any case.
  return recover(life, loss::session, false, true, until);
}

}  // namespace hsmtls::pkcs11
