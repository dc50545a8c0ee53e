#include "core/pkcs11/private/administration.hpp"

#include <cstring>

namespace hsmtls::pkcs11 {
namespace {

constexpr size_t label_size = sizeof(CK_TOKEN_INFO::label);

CK_UTF8CHAR* mutable_bytes(std::span<const uint8_t> bytes) {
  return const_cast<CK_UTF8CHAR*>(bytes.data());
}

// The token that is meant: one that the URI fits, or a slot by its number, initialised or not.
present_token token_or_slot(runtime& process, const uri& wanted, time_point until) {
  if (!wanted.slot_id) return one_token_of(process, wanted, until);
  for (const present_token& one : all_tokens(process, true, until)) {
    if (one.slot == *wanted.slot_id && matches_token(wanted, one.info)) return one;
  }
  throw failure(HSMTLS_P11_TOKEN_NOT_FOUND,
                "there is no token in slot " + std::to_string(*wanted.slot_id));
}

// PKCS#11 v3.1 C_InitToken, C_Login: no session may be open. Ours are given up; an application's
// are not ours, also those that hold no real session at the moment.
void drain(const present_token& where) {
  where.behind->release_idle();
  const bool in_use =
      where.behind->application_sessions() > 0 || where.behind->counters().open_sessions > 0;
  if (in_use) {
    throw failure(HSMTLS_P11_IN_USE,
                  "an application in this process has sessions open on token '" + where.label() +
                      "'; close them first");
  }
}

// One call in a session of its own that is logged in as `user`.
template <class Run>
CK_RV logged_in(
    token& behind, CK_USER_TYPE user, std::span<const uint8_t> pin, time_point until, Run&& run) {
  credentials with;
  with.pin = pin;
  with.forget = true;
  if (const CK_RV rv = behind.login(face::private_abi, user, with, until); rv != CKR_OK) return rv;
  const CK_RV rv = behind.with_recovery(until, repeat::if_rejected, [&](uint64_t& life) -> CK_RV {
    lease in;
    if (const CK_RV got = behind.borrow(true, until, in, life); got != CKR_OK) return got;
    return behind.call_once(
        in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
          return run(vendor, session);
        });
  });
  behind.logout(face::private_abi, until);
  behind.release_idle();
  return rv;
}

}  // namespace

void initialise_token(const char* uri_text,
                      const std::string& label,
                      std::span<const uint8_t> so_pin,
                      std::span<const uint8_t> user_pin,
                      time_point until) {
  if (label.empty() || label.size() > label_size) {
    throw failure(
        HSMTLS_P11_BAD_ARGUMENT,
        "a token's label has 1 to 32 bytes of UTF-8; this one has " + std::to_string(label.size()));
  }
  const uri wanted = parse_or_throw(uri_text);
  const runtime_use process;
  const present_token where = token_or_slot(process.process(), wanted, until);
  const sole_token_use use(where);
  token& behind = *where.behind;
  drain(where);

  CK_UTF8CHAR padded[label_size];
  std::memset(padded, ' ', sizeof padded);
  std::memcpy(padded, label.data(), label.size());
  check(behind.initialise(so_pin, padded, until), "initialise token '" + where.label() + "'");

  const CK_RV pin_set = logged_in(behind,
                                  CKU_SO,
                                  so_pin,
                                  until,
                                  [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
                                    return invoke(vendor.C_InitPIN,
                                                  session,
                                                  mutable_bytes(user_pin),
                                                  static_cast<CK_ULONG>(user_pin.size()));
                                  });
  check(pin_set, "set the user PIN of token '" + label + "'");
}

void change_user_pin(const char* uri_text,
                     std::span<const uint8_t> old_pin,
                     std::span<const uint8_t> new_pin,
                     time_point until) {
  const uri wanted = parse_or_throw(uri_text);
  const runtime_use process;
  const present_token where = one_token_of(process.process(), wanted, until);
  const sole_token_use use(where);
  token& behind = *where.behind;
  drain(where);
  const CK_RV rv = logged_in(behind,
                             CKU_USER,
                             old_pin,
                             until,
                             [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
                               return invoke(vendor.C_SetPIN,
                                             session,
                                             mutable_bytes(old_pin),
                                             static_cast<CK_ULONG>(old_pin.size()),
                                             mutable_bytes(new_pin),
                                             static_cast<CK_ULONG>(new_pin.size()));
                             });
  check(rv, "change the PIN of token '" + where.label() + "'");
  behind.pin_changed(new_pin);
}

}  // namespace hsmtls::pkcs11
