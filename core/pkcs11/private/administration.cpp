#include "core/pkcs11/private/administration.hpp"

#include <cstring>

namespace hsmtls::pkcs11 {
namespace {

constexpr size_t label_size = sizeof(CK_TOKEN_INFO::label);

CK_UTF8CHAR* mutable_bytes(std::span<const uint8_t> bytes) {
  return const_cast<CK_UTF8CHAR*>(bytes.data());
}

// The token that is meant: one that the URI fits, or a slot by its number, initialised or not.
present_token token_or_slot(const modules_list& in, const uri& wanted, time_point until) {
  if (!wanted.slot_id) return one_token_of(in, wanted, until);
  for (const present_token& one : all_tokens(in, true, until)) {
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
                  "an application in this process has sessions open on token " +
                      where.quoted_label() + "; close them first");
  }
}

// Sets the user's PIN of a new token, in a session of its own that is logged in as its security
// officer.
CK_RV set_first_pin(token& behind,
                    std::span<const uint8_t> so_pin,
                    std::span<const uint8_t> pin,
                    time_point until) {
  credentials with;
  with.pin = so_pin;
  with.forget = true;
  if (const CK_RV rv = behind.login(face::private_abi, CKU_SO, with, until); rv != CKR_OK)
    return rv;
  const CK_RV rv =
      change_token(behind, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        return invoke(
            vendor.C_InitPIN, session, mutable_bytes(pin), static_cast<CK_ULONG>(pin.size()));
      });
  behind.logout(face::private_abi, until);
  behind.release_idle();
  return rv;
}

// check() for a call that gives the token a new PIN.
void check_new_pin(CK_RV rv, const std::string& doing) {
  if (rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID) {
    throw failure(HSMTLS_P11_BAD_ARGUMENT,
                  "cannot " + doing +
                      ": the token does not take the new PIN; it may be too short, too long or "
                      "hold characters that it does not allow (" +
                      rv_name(rv) + ")",
                  rv);
  }
  check(rv, doing);
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
  const present_token where = token_or_slot(process.modules(), wanted, until);
  const sole_token_use use(where);
  token& behind = *where.behind;
  drain(where);

  CK_UTF8CHAR padded[label_size];
  std::memset(padded, ' ', sizeof padded);
  std::memcpy(padded, label.data(), label.size());
  check(behind.initialise(so_pin, padded, until), "initialise token " + where.quoted_label());

  check_new_pin(set_first_pin(behind, so_pin, user_pin, until),
                "set the user PIN of token " + quoted_name(label));
}

void change_user_pin(const char* uri_text,
                     std::span<const uint8_t> old_pin,
                     std::span<const uint8_t> new_pin,
                     time_point until) {
  const uri wanted = parse_or_throw(uri_text);
  const runtime_use process;
  const present_token where = one_token_of(process.modules(), wanted, until);
  const token_use use(*where.behind, until);
  token& behind = *where.behind;
  // PKCS#11 v3.1 C_SetPIN: it is the PIN of whoever is logged in that changes; of the user, if
  // nobody is. So it needs no login of its own, and those who sign meanwhile go on.
  if (behind.logged_in(face::front) == CKU_SO) {
    throw failure(HSMTLS_P11_IN_USE,
                  "an application in this process is logged in to token " + where.quoted_label() +
                      " as its security officer; log out first");
  }
  const CK_RV rv =
      change_token(behind, until, [&](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE session) {
        return behind.set_pin(session, CKU_USER, old_pin, new_pin, until);
      });
  check_new_pin(rv, "change the PIN of token " + where.quoted_label());
}

}  // namespace hsmtls::pkcs11
