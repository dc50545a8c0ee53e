// The recovery ladder: how a token comes back.
//
// Rung 1: new session, login. Rung 2: drain, C_Finalize, C_Initialize, then rung 1; it ends the
// sessions of every token of the module, so it runs only after rung 1 did not help twice. Objects
// are found again by whoever uses them (token/object.hpp). One thread rebuilds, the others wait for
// it, each until its deadline.
#include <algorithm>
#include <utility>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/library_thread.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/token/token.hpp"
#include "core/pkcs11/token/verdict.hpp"
#include "core/pkcs11/vendor/slot_list.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr milliseconds first_pause{20};
constexpr milliseconds longest_pause{1000};
// How long a rebuild waits for calls that are inside with handles of the life that ended.
constexpr milliseconds drain_grace{100};
// A handle that is found again and still called invalid is the caller's mistake, not a loss.
constexpr int most_object_losses = 4;
constexpr int most_login_losses = 4;
constexpr int rung_one_tries = 2;
// How often a request that a working token refuses may restart the module.
constexpr std::chrono::seconds suspicion_pause{30};

}  // namespace

bool token::try_again(retries& run, CK_RV rv, uint64_t life, time_point until, repeat how) {
  const loss what = loss_of(rv);
  run.answer = rv;
  const bool in_time = !(run.rebuilds > 0 && passed(until));
  const cure next = may_repeat(how, what) && in_time ? cure_for(run, what, life) : cure::none;
  if (next == cure::wait) {
    if (wait_for_change(run, life, until)) return true;
  } else if (next != cure::none) {
    const bool fresh = run.rebuilds == 0;
    const CK_RV healed = recover(life, what, next == cure::restart, fresh, until);
    if (healed == CKR_OK) {
      ++run.rebuilds;
      return true;
    }
    auto held = gate_.hold();
    // At the deadline the vendor's own word says most, unless the token that we knew is not back.
    if (healed != verdict::deadline || (lost_ && (what != loss::hard || identity_.known())))
      run.answer = healed;
  }
  // What works again is brought back at once the next time, whoever brought it back this time.
  if (paced_ && loss_of(run.answer) == loss::none && !verdict::is_verdict(run.answer)) {
    auto held = gate_.hold();
    paced_ = false;
    pause_ = milliseconds{0};
    next_attempt_ = last_attempt_;
    module_.worked();
  }
  return false;
}

token::cure token::cure_for(retries& run, loss what, uint64_t life) {
  const int failures = ++run.failures[static_cast<size_t>(what)];
  const auto now = steady::now();
  auto held = gate_.hold();
  // A restart ends everybody's sessions: where a request that the token refuses for good may be
  // the reason, it is not tried for each such request.
  const auto restart_on_suspicion = [&] {
    if (failures > rung_one_tries + 1 || now < next_restart_on_suspicion_) return false;
    next_restart_on_suspicion_ = now + suspicion_pause;
    return true;
  };
  switch (what) {
    case loss::login:
      // Nobody is logged in, or the token still says so after it was logged in to again: it means
      // something else (a key that wants a login for each operation).
      return wanted_login() && failures <= most_login_losses ? cure::rebuild : cure::none;
    case loss::absent:
      // Else nothing was ever there to come back.
      return identity_.known() ? cure::rebuild : cure::none;
    case loss::object:
      return failures <= most_object_losses ? cure::rebuild : cure::none;
    case loss::unseen:
      // Not back yet, or removed for good: more rebuilds would only disturb those whose keys are
      // there.
      if (failures <= rung_one_tries) return cure::rebuild;
      return !module_.another_works(this) && restart_on_suspicion() ? cure::restart : cure::wait;
    case loss::hard:
      // Sessions that work, and the same error again: it is the request, not the token.
      if (failures <= rung_one_tries) return cure::rebuild;
      return restart_on_suspicion() ? cure::restart : cure::none;
    case loss::session:
      // A reset for certain, so that what failed before it says nothing any more; unless the session
      // was one that had ended before.
      if (life == life_) run.failures = {};
      return cure::rebuild;
    default:
      return cure::rebuild;
  }
}

bool token::wait_for_change(retries& run, uint64_t life, time_point until) {
  run.pause = std::clamp(run.pause * 2, first_pause, longest_pause);
  auto held = gate_.hold();
  gate_.wait(held, std::min(until, steady::now() + run.pause), [&] {
    return life_ != life || lost_ || gate_.state() == gate::phase::closed;
  });
  return !passed(until);
}

bool token::worth_recovering(loss what) {
  auto held = gate_.hold();
  if (what == loss::none) return false;
  if (what == loss::library) return true;
  // A slot that is simply empty is an answer; a token whose sessions we hold should have been
  // there.
  return identity_.known() && (lost_ || !open_.empty());
}

CK_RV token::recover_now(loss what, time_point until) {
  uint64_t life = 0;
  {
    auto held = gate_.hold();
    life = life_;
  }
  return recover(life, what, false, true, until);
}

CK_RV token::recover(uint64_t seen, loss what, bool restart, bool fresh, time_point until) {
  auto held = gate_.hold();
  for (;;) {
    if (gate_.state() == gate::phase::closed) return verdict::exiting;
    if (life_ != seen && !lost_ && !rebuilding_) return CKR_OK;
    if (!module_.up()) return verdict::exiting;  // finalised meanwhile
    if (passed(until)) return time_is_up();
    // Nothing would be won by a session without the login, and a restart of the module would hit
    // the others.
    if (!rebuilding_ && automatic_login_pauses()) return verdict::login_refused;
    if (rebuilding_) {
      gate_.wait(held, until, [&] { return !rebuilding_ || gate_.state() == gate::phase::closed; });
      continue;
    }
    // Attempts are paced, but somebody who has just come need not wait for the pace of those who
    // have been waiting: the token may be back by now.
    const time_point earliest =
        fresh ? std::min(next_attempt_, last_attempt_ + first_pause) : next_attempt_;
    if (steady::now() < earliest) {
      gate_.wait(held, std::min(earliest, until), [&] {
        return rebuilding_ || !lost_ || gate_.state() == gate::phase::closed;
      });
      if (life_ == seen && !lost_ && steady::now() < earliest) {
        gate_.wait(held, std::min(earliest, until), [&] {
          return rebuilding_ || life_ != seen || gate_.state() == gate::phase::closed;
        });
      }
      continue;
    }
    const auto run = begin_rebuild(what, restart, fresh, until);
    fresh = false;
    held.unlock();
    // On a thread of its own: a vendor's C_Initialize leaves marks on the thread that it runs on
    // (SoftHSM: entries in libcrypto's error queue, from which the application's TLS would conclude
    // that its handshake failed), and one that never returns must not keep the caller beyond its
    // deadline.
    if (!run_in_thread([this, run] { carry_out(*run); })) carry_out(*run);
    held.lock();
    gate_.wait(held, until, [&] { return run->done || gate_.state() == gate::phase::closed; });
    if (run->done && (run->answer == CKR_OK || verdict::is_verdict(run->answer)))
      return run->answer;
  }
}

std::shared_ptr<token::rebuild_run> token::begin_rebuild(loss what,
                                                         bool restart,
                                                         bool fresh,
                                                         time_point until) {
  // All that may fail for want of memory first.
  auto run = std::make_shared<rebuild_run>();
  run->watching = observers_;
  for (const real_session& one : open_) run->doomed.push_back(one.handle);
  strays_.reserve(strays_.size() + run->doomed.size());

  rebuilding_ = true;
  rebuilding_since_ = steady::now();
  run->what = what;
  run->fresh = fresh;
  run->until = std::max(until, rebuilding_since_ + settings().deadline);
  // Not lost_ is asked: another token's rung 2 may have set that.
  run->news = !lost_since_;
  if (run->news) {
    lost_since_ = steady::now();
    ++counters_.lost;
    log::event(log::level::warning, "lost", "token", identity_.label, "serial", identity_.serial);
  }
  end_life();
  lost_ = true;
  run->attempt = failed_climbs_ + 1;
  ++counters_.rebuild_attempts;
  run->restarts = module_.restarts();
  const bool hidden = what == loss::hard && module_.known_quirks().reset_hides_behind_general_error;
  run->second_rung = failed_climbs_ >= rung_one_tries || what == loss::library || hidden || restart;
  return run;
}

void token::clear_out(rebuild_run& run) {
  auto held = gate_.hold();
  gate_.drain(held, steady::now() + drain_grace, this);
  // Closing a session that a call never came out of would not come back, either.
  std::erase_if(run.doomed, [&](CK_SESSION_HANDLE one) {
    if (!gate_.is_stuck(this, one)) return false;
    strays_.push_back({one, run.restarts});
    return true;
  });
}

void token::carry_out(rebuild_run& run) noexcept {
  if (run.news) {
    for (const auto& one : run.watching) one->lost();
  }
  CK_RV rv = CKR_HOST_MEMORY;
  try {
    clear_out(run);
    rv = climb(run);
  } catch (...) {  // no memory: the next attempt may have some
  }

  auto held = gate_.hold();
  rebuilding_ = false;
  last_attempt_ = steady::now();
  next_attempt_ = last_attempt_ + pause_;
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  paced_ = true;
  run.answer = rv;
  run.done = true;
  seen_no_token_ = run.no_token;
  if (rv == CKR_OK)
    failed_climbs_ = 0;
  else if (!run.disturbed)
    ++failed_climbs_;
  std::chrono::microseconds after{0};
  if (rv == CKR_OK) {
    const double away =
        lost_since_ ? milliseconds_since(*lost_since_) : 0;  // none: finalised meanwhile
    after = std::chrono::microseconds(static_cast<int64_t>(away * 1000));
    lost_ = stuck_ = false;
    lost_since_.reset();
    ++counters_.restored;
    log::event(log::level::info,
               "restored",
               "token",
               identity_.label,
               "serial",
               identity_.serial,
               "rung",
               run.second_rung ? 2 : 1,
               "attempt",
               run.attempt,
               "ms",
               away);
  } else {
    log::event(log::level::warning,
               "still-lost",
               "token",
               identity_.label,
               "attempt",
               run.attempt,
               "rv",
               verdict::is_verdict(rv) ? verdict::name_of(rv) : rv_name(rv));
  }
  gate_.announce();
  close_strays(held);
  const bool in_vain = unused_;
  held.unlock();
  if (in_vain) {
    release_idle();
    forget_if_unused();
  }
  if (rv != CKR_OK) return;
  for (const auto& one : run.watching) one->restored(after);
}

CK_RV token::climb(rebuild_run& run) {
  // The vendor may still hold sessions that are only half dead; they would never be closed
  // otherwise. After somebody else's C_Finalize there is none, and the numbers may be that
  // somebody's by now.
  bool all_ended = true;
  if (run.what != loss::library) {
    for (const CK_SESSION_HANDLE one : run.doomed) {
      const CK_RV rv = call_alone(run, one, [&](const CK_FUNCTION_LIST& vendor) {
        return invoke(vendor.C_CloseSession, one);
      });
      all_ended = all_ended && (rv == CKR_OK || loss_of(rv) == loss::session);
    }
  }
  {
    auto held = gate_.hold();
    if (all_ended && strays_.empty()) login_may_linger_ = false;
  }

  if (run.second_rung) {
    bool allowed = true;
    {
      auto held = gate_.hold();
      const bool away = run.what == loss::absent || run.what == loss::removed ||
                        (run.what != loss::library && seen_no_token_);
      allowed = !away || !module_.another_works(this);
    }
    CK_RV rv = CKR_OK;
    const auto outcome =
        allowed ? module_.reinitialise(run.until, run.what == loss::library, run.fresh, rv)
                : vendor_module::restart::not_ours;
    auto held = gate_.hold();
    stuck_ = outcome == vendor_module::restart::busy && gate_.any_stuck();
    if (outcome == vendor_module::restart::failed) return rv;
    if (outcome == vendor_module::restart::done) run.restarts = module_.restarts();
  }

  CK_TOKEN_INFO info{};
  if (const CK_RV rv = find_slot_again(run, info); rv != CKR_OK) {
    run.no_token = true;
    return rv;
  }

  CK_SLOT_ID slot = 0;
  uint64_t life = 0;
  bool as_officer = false;
  bool login = false;
  {
    auto held = gate_.hold();
    slot = slot_;
    life = life_;
    login = wanted_login().has_value();
    as_officer = wanted_login() == CKU_SO;
    open_.reserve(1);
    idle_.reserve(1);
    set_aside_.reserve(1);
  }
  CK_SESSION_HANDLE handle = 0;
  CK_RV rv = call_alone(run, 0, [&](const CK_FUNCTION_LIST& vendor) {
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (as_officer ? CKF_RW_SESSION : 0);
    const CK_RV opened = invoke(vendor.C_OpenSession, slot, flags, nullptr, nullptr, &handle);
    if (opened != CKR_OK || !login) return opened;
    const CK_RV logged_in = login_again(handle, info, life);
    if (logged_in != CKR_OK) invoke(vendor.C_CloseSession, handle);
    return logged_in;
  });
  if (rv != CKR_OK) return rv;

  auto held = gate_.hold();
  if (life != life_) {  // another token's rung 2 came between
    run.disturbed = true;
    return CKR_SESSION_HANDLE_INVALID;
  }
  open_.push_back({handle, as_officer});
  idle_.push_back({handle, as_officer});
  return CKR_OK;
}

CK_RV token::find_slot_again(rebuild_run& run, CK_TOKEN_INFO& info) {
  token_identity known;
  CK_SLOT_ID slot = 0;
  {
    auto held = gate_.hold();
    known = identity_;
    slot = slot_;
  }
  bool another = false;
  const auto is_ours = [&](const CK_FUNCTION_LIST& vendor, CK_SLOT_ID candidate) {
    const CK_RV rv = invoke(vendor.C_GetTokenInfo, candidate, &info);
    if (rv != CKR_OK) return rv;
    const token_identity seen = token_identity::of(info);
    if (!known.known() || seen == known) return rv;
    another = another || (candidate == slot && (seen.complete() || !known.complete()));
    return CK_RV{CKR_TOKEN_NOT_RECOGNIZED};
  };
  return call_alone(run, 0, [&](const CK_FUNCTION_LIST& vendor) -> CK_RV {
    const CK_RV rv = is_ours(vendor, slot);
    if (rv == CKR_OK || !known.known()) return rv;
    // A token may come back in another slot (another USB port, a module that numbers its slots
    // anew).
    std::vector<CK_SLOT_ID> candidates;
    list_slots(vendor, true, candidates);
    for (const CK_SLOT_ID candidate : candidates) {
      if (candidate == slot || is_ours(vendor, candidate) != CKR_OK) continue;
      auto held = gate_.hold();
      slot_ = candidate;
      return CKR_OK;
    }
    if (!another) return rv;
    return replaced_by_another();
  });
}

template <class Function>
CK_RV token::call_alone(rebuild_run& run, CK_SESSION_HANDLE session, Function&& function) {
  gate::call one;
  {
    auto held = gate_.hold();
    gate_.wait(held, run.until, [&] {
      return gate_.state() == gate::phase::open || gate_.state() == gate::phase::closed;
    });
    if (gate_.state() == gate::phase::closed) return verdict::exiting;
    if (gate_.state() != gate::phase::open) {
      run.disturbed = true;
      return CKR_DEVICE_ERROR;
    }
    // Finalised, or restarted for another token: what this attempt knows is of the past.
    if (run.restarts != module_.restarts()) {
      run.disturbed = true;
      return CKR_SESSION_HANDLE_INVALID;
    }
    one.owner = this;
    one.session = session;
    gate_.enter(one);
  }
  const CK_RV rv = function(module_.functions());
  auto held = gate_.hold();
  gate_.leave(one);
  return rv;
}

CK_RV token::time_is_up() const {
  const auto hangs = [](bool runs, time_point since) {
    return runs && steady::now() - since > drain_grace;
  };
  const bool stuck = stuck_ || module_.overdue() || hangs(rebuilding_, rebuilding_since_) ||
                     hangs(opening_, opening_since_);
  return stuck ? verdict::module_stuck : verdict::deadline;
}

void token::end_life() noexcept {
  ++life_;
  open_.clear();
  idle_.clear();
  set_aside_.clear();
  // It ends with the last session, if they all end: see climb.
  login_may_linger_ = login_may_linger_ || real_login_.has_value();
  real_login_.reset();
  session_limit_.reset();
  opening_ = false;  // a C_OpenSession that does not come back is of the life that ended
}

void token::library_restarted() noexcept {
  lost_ = lost_ || !open_.empty();
  end_life();
  login_may_linger_ = false;
}

bool token::working() const noexcept {
  return !lost_ && !rebuilding_ && !open_.empty();
}

}  // namespace hsmtls::pkcs11
