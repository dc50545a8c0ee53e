#include "core/pkcs11/token/token.hpp"

#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {

token::token(vendor_module& module, CK_SLOT_ID slot)
    : module_(module), gate_(module.door()), slot_(slot) {
  auto held = gate_.hold();
  module_.add_listener(this);
}

CK_SLOT_ID token::slot() {
  auto held = gate_.hold();
  return slot_;
}

token_identity token::identity() {
  auto held = gate_.hold();
  return identity_;
}

bool token::moved_to(CK_SLOT_ID slot, const token_identity& who) {
  auto held = gate_.hold();
  if (!identity_.known() || identity_ != who) return false;
  slot_ = slot;
  return true;
}

bool token::is_another(const token_identity& seen) {
  auto held = gate_.hold();
  return identity_.complete() && seen.complete() && seen != identity_;
}

CK_RV token::replaced_by_another() {
  const token_identity expected = identity();
  log::event(
      log::level::error, "token_replaced", "expected", expected.label, "serial", expected.serial);
  return verdict::token_replaced;
}

void token::application_session_opened() {
  auto held = gate_.hold();
  ++application_sessions_;
}

void token::application_session_closed() {
  auto held = gate_.hold();
  --application_sessions_;
}

int token::application_sessions() {
  auto held = gate_.hold();
  return application_sessions_;
}

void token::forget_if_unused() {
  auto held = gate_.hold();
  unused_ = rebuilding_ && !wanted_login();
  if (wanted_login() || rebuilding_ || !open_.empty() || opening_) return;
  forget_all();
}

void token::forget() {
  auto held = gate_.hold();
  forget_all();
}

void token::add_observer(std::shared_ptr<token_observer> one) {
  auto held = gate_.hold();
  observers_.push_back(std::move(one));
}

void token::remove_observer(const token_observer* one) {
  auto held = gate_.hold();
  std::erase_if(observers_, [&](const auto& each) { return each.get() == one; });
}

token_counters token::counters() {
  auto held = gate_.hold();
  token_counters now = counters_;
  now.open_sessions = open_.size();
  return now;
}

void token::forget_all() {
  end_life();
  lost_ = false;
  lost_since_.reset();
  identity_ = {};
  forget_logins();
  failed_climbs_ = 0;
  seen_no_token_ = false;
  pause_ = milliseconds{0};
  next_attempt_ = last_attempt_ = {};
}

}  // namespace hsmtls::pkcs11
