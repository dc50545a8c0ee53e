// The pool of real sessions of one token: lent, taken back, limited by what the token gives.
#include <algorithm>
#include <new>
#include <utility>

#include "core/pkcs11/base/library_thread.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/token/token.hpp"
#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr size_t most_idle_sessions = 16;
// How long a learnt session limit is believed: another process may give some back.
constexpr milliseconds session_limit_memory{100};

// Whether nobody is logged in, as far as a new session tells.
bool is_public(const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info{};
  if (invoke(vendor.C_GetSessionInfo, session, &info) != CKR_OK) return false;
  return info.state == CKS_RO_PUBLIC_SESSION || info.state == CKS_RW_PUBLIC_SESSION;
}

}  // namespace

lease::lease(lease&& other) noexcept {
  *this = std::move(other);
}

lease& lease::operator=(lease&& other) noexcept {
  if (this != &other) {
    give_back();
    token_ = std::exchange(other.token_, nullptr);
    handle_ = other.handle_;
    life_ = other.life_;
    writable_ = other.writable_;
  }
  return *this;
}

lease::~lease() {
  give_back();
}

void lease::give_back() {
  if (token_ != nullptr) std::exchange(token_, nullptr)->take_back(*this, token::fate::lend_again);
}

void lease::discard() {
  if (token_ != nullptr) std::exchange(token_, nullptr)->take_back(*this, token::fate::close);
}

void lease::lose() {
  if (token_ != nullptr) std::exchange(token_, nullptr)->take_back(*this, token::fate::leave);
}

lease token::hand_out(real_session one) {
  lease out;
  out.token_ = this;
  out.handle_ = one.handle;
  out.life_ = life_;
  out.writable_ = one.writable;
  return out;
}

size_t token::usable_sessions() {
  auto held = gate_.hold();
  if (!session_limit_) return most_idle_sessions;
  // Once the limit is old, one more is tried: others may have given some back.
  const bool believed = steady::now() < session_limit_ends_;
  return std::max<size_t>(1, *session_limit_ + (believed ? 0 : 1));
}

bool token::is_current(uint64_t life) {
  auto held = gate_.hold();
  return life == life_;
}

CK_RV token::enter(gate::call& one, const lease& in, time_point until) {
  auto held = gate_.hold();
  const auto may_go = [&] { return gate_.state() == gate::phase::open && !rebuilding_; };
  gate_.wait(held, until, [&] {
    return may_go() || in.life() != life_ || gate_.state() == gate::phase::closed;
  });
  if (gate_.state() == gate::phase::closed) return verdict::exiting;
  if (in.life() != life_) return CKR_SESSION_HANDLE_INVALID;
  if (!may_go()) return time_is_up();
  one.owner = this;
  one.session = in.handle();
  gate_.enter(one);
  return CKR_OK;
}

bool token::leave(gate::call& one, uint64_t life) {
  auto held = gate_.hold();
  gate_.leave(one);
  return life == life_;
}

CK_RV token::borrow(bool writable, time_point until, lease& out, uint64_t& life) {
  out.give_back();
  auto held = gate_.hold();
  unused_ = false;
  bool fresh = true;
  for (;;) {
    life = life_;
    if (gate_.state() == gate::phase::closed) return verdict::exiting;
    if (lost_ || rebuilding_) {
      held.unlock();
      const bool first = std::exchange(fresh, false);
      if (const CK_RV rv = recover(life, loss::session, false, first, until); rv != CKR_OK)
        return rv;
      held.lock();
      continue;
    }
    if (gate_.state() != gate::phase::open) {
      const bool ready = gate_.wait(held, until, [&] {
        return gate_.state() == gate::phase::open || gate_.state() == gate::phase::closed;
      });
      if (!ready) return time_is_up();
      continue;
    }
    if (!module_.up()) return verdict::exiting;  // finalised, and nobody has initialised it since

    // With the security officer logged in, PKCS#11 allows no read-only session.
    const bool as_writable = writable || real_login_ == CKU_SO;
    const auto find_fitting = [&] {
      return std::find_if(idle_.rbegin(), idle_.rend(), [&](const real_session& one) {
        return one.writable == as_writable;
      });
    };
    if (const auto fitting = find_fitting(); fitting != idle_.rend()) {
      out = hand_out(*fitting);
      idle_.erase(std::next(fitting).base());
      return CKR_OK;
    }

    // An idle session of the other kind is nothing to wake up for.
    const auto something_changed = [&] {
      return !opening_ || find_fitting() != idle_.rend() || lost_ || rebuilding_ ||
             gate_.state() != gate::phase::open;
    };
    if (opening_) {
      if (!gate_.wait(held, until, something_changed)) return time_is_up();
      continue;
    }
    const bool full =
        session_limit_ && steady::now() < session_limit_ends_ && open_.size() >= *session_limit_;
    if (!full) {
      const CK_RV rv = open_session(held, as_writable, out);
      if (rv == CKR_OK) {
        life = life_;
        close_set_aside(held, false);
        close_strays(held);
      }
      if (rv != CKR_SESSION_COUNT) return rv;
      session_limit_ = open_.size();  // kept beyond its time, as what was last known
      session_limit_ends_ = steady::now() + session_limit_memory;
      if (passed(until)) return rv;
      continue;
    }
    if (!idle_.empty()) {  // of the other kind: its place is needed
      close_one(held, idle_.back().handle);
      continue;
    }
    if (!set_aside_.empty()) {
      close_set_aside(held, true);
      continue;
    }
    if (passed(until)) return CKR_SESSION_COUNT;
    gate_.wait(held, std::min(until, session_limit_ends_), [&] {
      return !idle_.empty() || !session_limit_ || open_.size() < *session_limit_ || lost_ ||
             rebuilding_ || gate_.state() != gate::phase::open;
    });
  }
}

CK_RV token::open_session(gate::lock& held, bool writable, lease& out) {
  // Nothing that comes after the vendor's C_OpenSession may fail for want of memory, nor may a
  // session's way back to the pool.
  open_.reserve(open_.size() + 1);
  idle_.reserve(open_.capacity());
  set_aside_.reserve(open_.capacity());
  opening_ = true;
  opening_since_ = steady::now();
  const uint64_t life = life_;
  const CK_SLOT_ID slot = slot_;
  const bool login = wanted_login() && !real_login_;
  const bool logged_in = real_login_.has_value();
  gate::call one;
  one.owner = this;
  gate_.enter(one);
  held.unlock();

  const CK_FUNCTION_LIST& vendor = module_.functions();
  CK_SESSION_HANDLE handle = 0;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
  CK_RV rv = invoke(vendor.C_OpenSession, slot, flags, nullptr, nullptr, &handle);
  const bool opened = rv == CKR_OK;
  const bool without_login = opened && logged_in && is_public(vendor, handle);
  bool reused = false;
  if (opened) {
    held.lock();
    // The vendor dropped our sessions without a word. Where it counts anew, and this is a number
    // that we hold already, two would share one session; where not, nothing private is to be found
    // in it. That life is over, also for whoever is inside just now; the recovery that follows
    // closes what is open.
    reused = std::any_of(open_.begin(), open_.end(), [&](const real_session& each) {
      return each.handle == handle;
    });
    if (life == life_ && (reused || without_login)) {
      ++life_;
      idle_.clear();
      opening_ = false;
      lost_ = true;
      gate_.announce();
    }
    held.unlock();
  }
  token_identity seen;
  bool have_info = false;
  bool replaced = false;
  try {
    CK_TOKEN_INFO info{};
    have_info = opened && read_token_info(vendor, slot, info) == CKR_OK;
    if (have_info) seen = token_identity::of(info);
    // Before a PIN is sent: is it still the token that the PIN is for?
    replaced = have_info && is_another(seen);
    if (replaced && login) rv = replaced_by_another();
    if (opened && login && !replaced) rv = login_again(handle, info, life);
  } catch (...) {
    rv = CKR_HOST_MEMORY;
  }

  held.lock();
  const bool same_life = life == life_;
  if (opened && !reused && (!same_life || rv != CKR_OK)) {
    // Still noted as inside, so that a rebuild that waits for us cannot reopen this number
    // meanwhile.
    held.unlock();
    invoke(vendor.C_CloseSession, handle);
    held.lock();
  }
  gate_.leave(one);
  if (!same_life) return CKR_SESSION_HANDLE_INVALID;  // who comes after the loss opens for itself
  opening_ = false;
  gate_.announce();
  if (rv != CKR_OK) return rv;

  // Nobody is logged in: from here on it is this token, and every object is searched anew.
  if (replaced) end_life();
  if (have_info && (replaced || !identity_.known())) identity_ = std::move(seen);
  const real_session fresh{handle, writable};
  open_.push_back(fresh);
  if (session_limit_ && open_.size() > *session_limit_) session_limit_.reset();
  out = hand_out(fresh);
  return CKR_OK;
}

void token::take_back(lease& returned, fate next) noexcept {
  auto held = gate_.hold();
  if (gate_.state() == gate::phase::closed) return;
  if (returned.life_ != life_) {
    for (stray& one : strays_) one.returned = one.returned || one.handle == returned.handle_;
    close_strays(held);
    return;
  }
  if (gate_.state() != gate::phase::open || rebuilding_) {
    // Somebody is alone in the module, or about to be: no call now. The next one who comes closes
    // it.
    set_aside_.push_back(returned.handle_);
    return;
  }
  // The last session carries the login: it is closed when there is another.
  const bool carries_login = open_.size() == 1 && real_login_;
  if (next == fate::leave || (next == fate::close && carries_login)) {
    set_aside_.push_back(returned.handle_);
  } else if (next == fate::close || idle_.size() >= most_idle_sessions) {
    close_one(held, returned.handle_);
  } else {
    idle_.push_back({returned.handle_, returned.writable_});
    gate_.announce();
  }
}

void token::close_set_aside(gate::lock& held, bool even_the_last) {
  while (!set_aside_.empty() && gate_.state() == gate::phase::open && !rebuilding_) {
    if (open_.size() == 1 && real_login_ && !even_the_last) return;
    const CK_SESSION_HANDLE one = set_aside_.back();
    set_aside_.pop_back();
    close_one(held, one);
  }
}

void token::close_strays(gate::lock& held) noexcept {
  const auto is_open = [this](CK_SESSION_HANDLE handle) {
    return std::any_of(
        open_.begin(), open_.end(), [&](const real_session& one) { return one.handle == handle; });
  };
  std::erase_if(strays_, [&](const stray& one) {
    // After a restart there is none of that life; and a number that is given out anew is another's.
    return one.restarts != module_.restarts() || is_open(one.handle);
  });
  while (gate_.state() == gate::phase::open && !rebuilding_) {
    const auto back =
        std::find_if(strays_.begin(), strays_.end(), [](const stray& one) { return one.returned; });
    if (back == strays_.end()) return;
    const stray gone = *back;
    strays_.erase(back);
    // On a thread of its own: what a call hung in once may hang again. Should the vendor have
    // forgotten this session and give its number to a new one just now, that one is lost, which
    // its user notices and recovers from.
    held.unlock();
    const auto close = [this, gone, is_open] {
      auto again = gate_.hold();
      if (gone.restarts != module_.restarts() || is_open(gone.handle)) return;
      if (gate_.state() == gate::phase::open && !opening_ && !rebuilding_) {
        close_in_vendor(again, gone.handle);
        return;
      }
      try {
        strays_.push_back(gone);         // not just now
      } catch (const std::bad_alloc&) {  // then it is left to the vendor
      }
    };
    if (!run_in_thread(close)) close();
    held.lock();
  }
}

void token::close_one(gate::lock& held, CK_SESSION_HANDLE handle) noexcept {
  const auto is_it = [&](const real_session& one) { return one.handle == handle; };
  std::erase_if(open_, is_it);
  std::erase_if(idle_, is_it);
  // PKCS#11 v3.1 C_CloseSession: with its last session the application's login on the token ends.
  // What is found later in the slot may be another token: no handle of this one may be used there.
  if (open_.empty()) end_life();
  const bool last = open_.empty() && strays_.empty();
  close_in_vendor(held, handle);
  if (last && open_.empty()) login_may_linger_ = false;
}

void token::close_in_vendor(gate::lock& held, CK_SESSION_HANDLE handle) noexcept {
  gate::call one;
  one.owner = this;
  one.session = handle;
  gate_.enter(one);
  held.unlock();
  invoke(module_.functions().C_CloseSession, handle);
  held.lock();
  gate_.leave(one);
}

void token::release_idle() {
  auto held = gate_.hold();
  close_set_aside(held, true);
  close_strays(held);
  while (!idle_.empty() && gate_.state() == gate::phase::open && !rebuilding_) {
    close_one(held, idle_.back().handle);
  }
}

}  // namespace hsmtls::pkcs11
