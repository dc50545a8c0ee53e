#include "token_simulation.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string_view>

#include "rules.hpp"

namespace hsmtls::chaos {

const token_simulation::slot_state& token_simulation::of(CK_SLOT_ID slot) const {
  const auto single = single_slots_.find(slot);
  return single == single_slots_.end() ? all_slots_ : single->second;
}

token_simulation::slot_state& token_simulation::choose(slot_choice slot) {
  if (slot) return single_slots_.try_emplace(*slot, all_slots_).first->second;
  single_slots_.clear();
  return all_slots_;
}

void token_simulation::update_active() {
  active_.store(all_slots_.state != presence::present || all_slots_.serial ||
                    !single_slots_.empty() || !events_.empty() || pin_locked_ || pin_flags_ != 0 ||
                    pin_pad_ || always_authenticate_ || max_sessions_ != 0,
                std::memory_order_release);
}

void token_simulation::remove(slot_choice slot, const std::vector<CK_SLOT_ID>& affected) {
  const std::lock_guard lock(state_mutex);
  choose(slot) = {presence::removed, std::nullopt};
  for (auto& [handle, each] : sessions_) {
    if (!slot || each.slot == *slot) each.lost = true;
  }
  events_.insert(events_.end(), affected.begin(), affected.end());
  update_active();
}

void token_simulation::bring_back(slot_choice slot,
                                  const std::optional<std::string>& serial,
                                  bool needs_reinit,
                                  const std::vector<CK_SLOT_ID>& affected) {
  const std::lock_guard lock(state_mutex);
  choose(slot) = {needs_reinit ? presence::back_after_reinit : presence::present, serial};
  if (!needs_reinit) {
    // From here on the vendor itself says what old handles are: unknown, or somebody else's.
    std::erase_if(sessions_, [&](const auto& each) {
      return each.second.lost && (!slot || each.second.slot == *slot);
    });
    events_.insert(events_.end(), affected.begin(), affected.end());
  }
  update_active();
}

void token_simulation::lock_pin(bool locked) {
  const std::lock_guard lock(state_mutex);
  pin_locked_ = locked;
  update_active();
}

void token_simulation::set_pin_flags(CK_FLAGS flags) {
  const std::lock_guard lock(state_mutex);
  pin_flags_ = flags;
  update_active();
}

void token_simulation::set_pin_pad(bool on, std::optional<std::string> pin) {
  const std::lock_guard lock(state_mutex);
  pin_pad_ = on;
  pin_pad_pin_ = std::move(pin);
  update_active();
}

void token_simulation::set_always_authenticate(bool on, std::optional<std::string> pin) {
  const std::lock_guard lock(state_mutex);
  always_authenticate_ = on;
  context_pin_ = std::move(pin);
  for (auto& [handle, each] : sessions_) each.signing = each.authenticated = false;
  update_active();
}

void token_simulation::limit_sessions(CK_ULONG max) {
  const std::lock_guard lock(state_mutex);
  max_sessions_ = max;
  update_active();
}

void token_simulation::reset() {
  const std::lock_guard lock(state_mutex);
  choose(std::nullopt) = {};
  events_.clear();
  std::erase_if(sessions_, [](const auto& each) { return each.second.lost; });
  pin_locked_ = pin_pad_ = always_authenticate_ = false;
  pin_flags_ = 0;
  pin_pad_pin_.reset();
  context_pin_.reset();
  max_sessions_ = 0;
  update_active();
}

bool token_simulation::absent(CK_SLOT_ID slot) const {
  if (!active()) return false;
  const std::lock_guard lock(state_mutex);
  return of(slot).state != presence::present;
}

bool token_simulation::session_lost(CK_SESSION_HANDLE session) const {
  if (!active()) return false;
  const std::lock_guard lock(state_mutex);
  const auto known = sessions_.find(session);
  return known != sessions_.end() && known->second.lost;
}

std::optional<CK_SLOT_ID> token_simulation::take_event() {
  if (!active()) return std::nullopt;
  const std::lock_guard lock(state_mutex);
  if (events_.empty()) return std::nullopt;
  const CK_SLOT_ID slot = events_.front();
  events_.pop_front();
  update_active();
  return slot;
}

void token_simulation::dress(CK_SLOT_ID slot, CK_TOKEN_INFO& info) const {
  if (!active()) return;
  const std::lock_guard lock(state_mutex);
  if (const auto& serial = of(slot).serial) {
    std::memset(info.serialNumber, ' ', sizeof info.serialNumber);
    std::memcpy(
        info.serialNumber, serial->data(), std::min(serial->size(), sizeof info.serialNumber));
  }
  info.flags |= pin_flags_;
  if (pin_locked_) info.flags |= CKF_USER_PIN_LOCKED;
  if (pin_pad_) info.flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
  if (max_sessions_ != 0) info.ulMaxSessionCount = info.ulMaxRwSessionCount = max_sessions_;
}

bool token_simulation::begin_open(CK_SLOT_ID slot) {
  const std::lock_guard lock(state_mutex);
  if (max_sessions_ != 0) {
    const auto open = static_cast<CK_ULONG>(
        std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& each) {
          return each.second.slot == slot && !each.second.lost;
        }));
    if (open + opening_[slot] >= max_sessions_) return false;
  }
  ++opening_[slot];
  return true;
}

bool token_simulation::end_open(CK_SLOT_ID slot, std::optional<CK_SESSION_HANDLE> opened) {
  const std::lock_guard lock(state_mutex);
  --opening_[slot];
  if (!opened) return true;
  if (of(slot).state != presence::present) return false;
  sessions_[*opened] = {slot, ++clock_, false, false, false};
  return true;
}

void token_simulation::closed(CK_SESSION_HANDLE session) {
  const std::lock_guard lock(state_mutex);
  sessions_.erase(session);
}

std::uint64_t token_simulation::now() const {
  const std::lock_guard lock(state_mutex);
  return clock_;
}

void token_simulation::closed_all(slot_choice slot, std::uint64_t then) {
  const std::lock_guard lock(state_mutex);
  std::erase_if(sessions_, [&](const auto& each) {
    return (!slot || each.second.slot == *slot) && each.second.opened_at <= then &&
           !each.second.lost;
  });
}

void token_simulation::initialized() {
  const std::lock_guard lock(state_mutex);
  const auto arrive = [](slot_state& slot) {
    if (slot.state == presence::back_after_reinit) slot.state = presence::present;
  };
  arrive(all_slots_);
  for (auto& [id, slot] : single_slots_) arrive(slot);
  update_active();
}

void token_simulation::finalized() {
  const std::lock_guard lock(state_mutex);
  sessions_.clear();
}

token_simulation::login_verdict token_simulation::judge_login(CK_SESSION_HANDLE session,
                                                              CK_USER_TYPE user,
                                                              const CK_UTF8CHAR* pin,
                                                              CK_ULONG pin_len) {
  if (!active()) return {};
  const std::lock_guard lock(state_mutex);
  if (pin_locked_ && user != CKU_SO) return {CKR_PIN_LOCKED, std::nullopt};

  std::optional<std::string> typed;
  if (pin != nullptr) {
    typed.emplace(reinterpret_cast<const char*>(pin), pin_len);
  } else if (pin_pad_) {
    if (!pin_pad_pin_) return {CKR_FUNCTION_CANCELED, std::nullopt};  // nobody is at the pad
    typed = pin_pad_pin_;
  }
  if (user == CKU_CONTEXT_SPECIFIC && always_authenticate_) {
    const auto known = sessions_.find(session);
    if (known == sessions_.end()) return {CKR_SESSION_HANDLE_INVALID, std::nullopt};
    if (!known->second.signing) return {CKR_OPERATION_NOT_INITIALIZED, std::nullopt};
    if (context_pin_ && typed != context_pin_) return {CKR_PIN_INCORRECT, std::nullopt};
    known->second.authenticated = true;
    return {CKR_OK, std::nullopt};
  }
  if (pin == nullptr && pin_pad_) return {std::nullopt, typed};
  return {};
}

bool token_simulation::always_authenticates() const {
  if (!active()) return false;
  const std::lock_guard lock(state_mutex);
  return always_authenticate_;
}

void token_simulation::sign_started(CK_SESSION_HANDLE session) {
  if (!active()) return;
  const std::lock_guard lock(state_mutex);
  const auto known = sessions_.find(session);
  if (!always_authenticate_ || known == sessions_.end()) return;
  known->second.signing = true;
  known->second.authenticated = false;
}

void token_simulation::sign_ended(CK_SESSION_HANDLE session) {
  if (!active()) return;
  const std::lock_guard lock(state_mutex);
  const auto known = sessions_.find(session);
  if (known != sessions_.end()) known->second.signing = known->second.authenticated = false;
}

bool token_simulation::wants_context_login(CK_SESSION_HANDLE session) const {
  if (!active()) return false;
  const std::lock_guard lock(state_mutex);
  const auto known = sessions_.find(session);
  return always_authenticate_ && known != sessions_.end() && known->second.signing &&
         !known->second.authenticated;
}

}  // namespace hsmtls::chaos
