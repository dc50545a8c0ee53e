// PINs: which one is known to be right, which was refused and is never sent again, and when the token
// counts its last tries so that none is sent at all. Every PIN passes through here.
#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/base/refused_pins.hpp"
#include "core/pkcs11/token/token.hpp"
#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {

std::optional<bool> token::is_known_pin(std::span<const uint8_t> pin) {
  const secret known = known_pin();
  if (!known) return std::nullopt;
  return known.equals(pin);
}

secret token::known_pin() {
  pin_reader read;
  {
    auto held = gate_.hold();
    if (pin_) return secret(pin_.bytes());
    read = read_pin_again_;
  }
  if (!read) return {};
  auto again = read();  // without the lock: a file may be on a slow disk
  return again ? std::move(*again) : secret();
}

CK_RV token::set_pin(CK_SESSION_HANDLE session,
                     CK_USER_TYPE user,
                     std::optional<std::span<const uint8_t>> old_pin,
                     std::span<const uint8_t> new_pin,
                     time_point until) {
  CK_RV answer = CKR_OK;
  const auto send = [&] {
    const auto old = old_pin.value_or(std::span<const uint8_t>());
    answer = invoke(module_.functions().C_SetPIN,
                    session,
                    const_cast<CK_UTF8CHAR*>(old.data()),
                    static_cast<CK_ULONG>(old.size()),
                    const_cast<CK_UTF8CHAR*>(new_pin.data()),
                    static_cast<CK_ULONG>(new_pin.size()));
    // In the turn of the old one: a login in between would try that.
    if (answer == CKR_OK && user == CKU_USER) pin_changed(new_pin);
    // CKR_PIN_INVALID and CKR_PIN_LEN_RANGE are about the new PIN here, not the one that was sent.
    return answer == CKR_PIN_INCORRECT ? answer : CK_RV{CKR_OK};
  };
  if (!old_pin) {
    send();
    return answer;
  }
  const CK_RV sent = send_pin(user, *old_pin, until, last_try::spared, send);
  return sent != CKR_OK ? sent : answer;
}

void token::pin_changed(std::span<const uint8_t> pin) {
  refused_pins::forget_all_of(identity().key(), CKU_USER);
  auto held = gate_.hold();
  if (pin_) pin_ = secret(pin);
}

CK_RV token::refused_by_flags(const CK_TOKEN_INFO& info, CK_USER_TYPE user) {
  const bool officer = user == CKU_SO;
  if ((info.flags & (officer ? CKF_SO_PIN_LOCKED : CKF_USER_PIN_LOCKED)) != 0)
    return CKR_PIN_LOCKED;
  if ((info.flags & (officer ? CKF_SO_PIN_FINAL_TRY : CKF_USER_PIN_FINAL_TRY)) != 0) {
    log::complain("the token " + quoted_name(unpadded(info.label)) +
                  " has one PIN try left, so no PIN was sent. Check the PIN, then log in once with "
                  "HSMTLS_FINAL_TRY=allow; a success resets the token's counter.");
    return CKR_PIN_LOCKED;
  }
  return CKR_OK;
}

CK_RV token::may_send(CK_USER_TYPE user, std::span<const uint8_t> pin, last_try how) {
  const token_identity who = identity();
  if (refused_pins::contains(who.key(), user, pin)) {
    log::event(log::level::warning,
               "pin-withheld",
               "token",
               who.label,
               "reason",
               "the token refused it before");
    return CKR_PIN_INCORRECT;
  }
  return may_try(user, how);
}

CK_RV token::may_try(CK_USER_TYPE user, last_try how) {
  if (how == last_try::risked || settings().insist_on_final_try) return CKR_OK;
  CK_TOKEN_INFO info{};
  const CK_RV rv = invoke(module_.functions().C_GetTokenInfo, slot(), &info);
  return rv == CKR_OK ? refused_by_flags(info, user) : rv;
}

void token::note_refused(CK_USER_TYPE user, CK_RV rv, std::span<const uint8_t> pin) {
  if (rv != CKR_PIN_INCORRECT && rv != CKR_PIN_INVALID && rv != CKR_PIN_LEN_RANGE) return;
  const token_identity who = identity();
  refused_pins::remember(who.key(), user, pin);
  log::event(log::level::error, "pin-refused", "token", who.label, "rv", rv_name(rv));
  auto held = gate_.hold();
  count_login_failure(rv);
}

CK_RV token::initialise(std::span<const uint8_t> so_pin, CK_UTF8CHAR* label, time_point until) {
  const CK_RV rv = module_.call(until, [&](const CK_FUNCTION_LIST& vendor) -> CK_RV {
    CK_TOKEN_INFO info{};
    if (const CK_RV told = invoke(vendor.C_GetTokenInfo, slot(), &info); told != CKR_OK)
      return told;
    // Not our identity_: perhaps no session was ever opened on it.
    const std::string who = token_identity::of(info).key();
    const refused_pins::turn mine(who, CKU_SO, so_pin, until);
    if (!mine) return verdict::login_busy;
    if (refused_pins::contains(who, CKU_SO, so_pin)) return CKR_PIN_INCORRECT;
    // One that was never initialised has no SO PIN yet, whatever its flags say.
    const bool has_pin = (info.flags & CKF_TOKEN_INITIALIZED) != 0;
    const last_try how = has_pin ? last_try::spared : last_try::risked;
    if (const CK_RV refused = may_try(CKU_SO, how); refused != CKR_OK) return refused;
    const CK_RV answer = invoke(vendor.C_InitToken,
                                slot(),
                                const_cast<CK_UTF8CHAR*>(so_pin.data()),
                                static_cast<CK_ULONG>(so_pin.size()),
                                label);
    if (answer == CKR_PIN_INCORRECT) refused_pins::remember(who, CKU_SO, so_pin);
    if (answer == CKR_OK) {
      refused_pins::forget_all_of(who, CKU_SO);
      refused_pins::forget_all_of(who, CKU_USER);
    }
    return answer;
  });
  if (rv == CKR_OK) forget();
  return rv;
}

}  // namespace hsmtls::pkcs11
