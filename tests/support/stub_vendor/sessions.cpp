// Sessions, logins, PINs, saved operation state.
#include <cstring>
#include <string_view>

#include "vendor.hpp"

using namespace hsmtls::stub;

namespace {

std::string_view text_of(const CK_UTF8CHAR* pin, CK_ULONG len) {
  return pin == nullptr ? std::string_view{}
                        : std::string_view(reinterpret_cast<const char*>(pin), len);
}

CK_RV check_pin(const std::string& right, int& wrong_pins, std::string_view given) {
  if (wrong_pins >= max_wrong_pins) return CKR_PIN_LOCKED;
  if (given == right) {
    wrong_pins = 0;
    return CKR_OK;
  }
  ++wrong_pins;
  return CKR_PIN_INCORRECT;
}

CK_RV login_for_context(token& on, session& in, std::string_view pin) {
  for (operation& each : in.operations) {
    if (!each.active || !each.wants_context_login) continue;
    const CK_RV rv = check_pin(on.user_pin, on.wrong_user_pins, pin);
    if (rv == CKR_OK) each.wants_context_login = false;
    return rv;
  }
  return CKR_OPERATION_NOT_INITIALIZED;
}

CK_RV login(vendor& all, session& in, CK_USER_TYPE user, std::string_view pin) {
  token& on = all.tokens[in.slot];
  if (user == CKU_CONTEXT_SPECIFIC) return login_for_context(on, in, pin);
  if (user != CKU_USER && user != CKU_SO) return CKR_USER_TYPE_INVALID;

  const auto wanted = user == CKU_USER ? token::login::user : token::login::so;
  if (on.logged_in == wanted) return CKR_USER_ALREADY_LOGGED_IN;
  if (on.logged_in != token::login::nobody) return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
  if (user == CKU_USER && !on.user_pin_set) return CKR_USER_PIN_NOT_INITIALIZED;
  if (user == CKU_SO && all.count_sessions(in.slot) != all.count_sessions(in.slot, true)) {
    return CKR_SESSION_READ_ONLY_EXISTS;
  }
  const CK_RV rv = user == CKU_USER ? check_pin(on.user_pin, on.wrong_user_pins, pin)
                                    : check_pin(on.so_pin, on.wrong_so_pins, pin);
  if (rv == CKR_OK) on.logged_in = wanted;
  return rv;
}

CK_STATE state_of(const token& on, const session& in) {
  switch (on.logged_in) {
    case token::login::user:
      return in.read_write ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    case token::login::so:
      return CKS_RW_SO_FUNCTIONS;
    default:
      return in.read_write ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
  }
}

}  // namespace

extern "C" {

CK_RV C_OpenSession(
    CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR, CK_NOTIFY, CK_SESSION_HANDLE_PTR out) {
  return in_module([&](vendor& all) -> CK_RV {
    const token* on = all.token_in(slot);
    if (on == nullptr) return CKR_SLOT_ID_INVALID;
    if (out == nullptr) return CKR_ARGUMENTS_BAD;
    if ((flags & CKF_SERIAL_SESSION) == 0) return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    const bool read_write = (flags & CKF_RW_SESSION) != 0;
    if (!read_write && on->logged_in == token::login::so) return CKR_SESSION_READ_WRITE_SO_EXISTS;
    if (all.max_sessions != 0 && all.count_sessions(slot) >= all.max_sessions) {
      return CKR_SESSION_COUNT;
    }
    *out = all.open_session(slot, read_write);
    return CKR_OK;
  });
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle) {
  return in_session(handle, [&](vendor& all, session&) -> CK_RV {
    all.close_session(handle);
    return CKR_OK;
  });
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot) {
  return in_module([&](vendor& all) -> CK_RV {
    if (all.token_in(slot) == nullptr) return CKR_SLOT_ID_INVALID;
    all.close_all_sessions(slot);
    return CKR_OK;
  });
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO_PTR info) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    if (info == nullptr) return CKR_ARGUMENTS_BAD;
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (in.read_write ? CKF_RW_SESSION : CK_FLAGS{0});
    *info = {in.slot, state_of(all.tokens[in.slot], in), flags, 0};
    return CKR_OK;
  });
}

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG len) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    return login(all, in, user, text_of(pin, len));
  });
}

CK_RV C_LoginUser(CK_SESSION_HANDLE handle,
                  CK_USER_TYPE user,
                  CK_CHAR_PTR pin,
                  CK_ULONG len,
                  CK_UTF8CHAR_PTR,
                  CK_ULONG) {
  return C_Login(handle, user, pin, len);
}

CK_RV C_Logout(CK_SESSION_HANDLE handle) {
  return in_session(handle, [](vendor& all, session& in) -> CK_RV {
    token& on = all.tokens[in.slot];
    if (on.logged_in == token::login::nobody) return CKR_USER_NOT_LOGGED_IN;
    on.logged_in = token::login::nobody;
    return CKR_OK;
  });
}

CK_RV C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG len, CK_UTF8CHAR_PTR label) {
  return in_module([&](vendor& all) -> CK_RV {
    token* on = all.token_in(slot);
    if (on == nullptr) return CKR_SLOT_ID_INVALID;
    if (label == nullptr) return CKR_ARGUMENTS_BAD;
    if (all.count_sessions(slot) != 0) return CKR_SESSION_EXISTS;
    if (const CK_RV rv = check_pin(on->so_pin, on->wrong_so_pins, text_of(pin, len));
        rv != CKR_OK) {
      return rv;
    }
    all.wipe(slot);
    on->label = text_of(label, 32);
    on->label.erase(on->label.find_last_not_of(' ') + 1);
    on->user_pin_set = false;
    on->wrong_user_pins = 0;
    return CKR_OK;
  });
}

CK_RV C_InitPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR_PTR pin, CK_ULONG len) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    token& on = all.tokens[in.slot];
    if (on.logged_in != token::login::so) return CKR_USER_NOT_LOGGED_IN;
    if (len < 4 || len > 64) return CKR_PIN_LEN_RANGE;
    on.user_pin = text_of(pin, len);
    on.user_pin_set = true;
    on.wrong_user_pins = 0;
    return CKR_OK;
  });
}

CK_RV C_SetPIN(CK_SESSION_HANDLE handle,
               CK_UTF8CHAR_PTR old_pin,
               CK_ULONG old_len,
               CK_UTF8CHAR_PTR new_pin,
               CK_ULONG new_len) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    token& on = all.tokens[in.slot];
    if (!in.read_write) return CKR_SESSION_READ_ONLY;
    if (new_len < 4 || new_len > 64) return CKR_PIN_LEN_RANGE;
    const bool so = on.logged_in == token::login::so;
    std::string& pin = so ? on.so_pin : on.user_pin;
    const CK_RV rv =
        check_pin(pin, so ? on.wrong_so_pins : on.wrong_user_pins, text_of(old_pin, old_len));
    if (rv == CKR_OK) pin = text_of(new_pin, new_len);
    return rv;
  });
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return in_session(handle, [&](vendor&, session& in) -> CK_RV {
    if (len == nullptr) return CKR_ARGUMENTS_BAD;
    bool any = false;
    for (const operation& each : in.operations) any = any || each.active;
    if (!any) return CKR_OPERATION_NOT_INITIALIZED;
    const CK_ULONG room = *len;
    *len = sizeof in.operations;
    if (out == nullptr) return CKR_OK;
    if (room < sizeof in.operations) return CKR_BUFFER_TOO_SMALL;
    std::memcpy(out, in.operations.data(), sizeof in.operations);
    return CKR_OK;
  });
}

CK_RV C_SetOperationState(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR state, CK_ULONG len, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
  return in_session(handle, [&](vendor&, session& in) -> CK_RV {
    if (state == nullptr || len != sizeof in.operations) return CKR_SAVED_STATE_INVALID;
    std::memcpy(in.operations.data(), state, len);
    return CKR_OK;
  });
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE handle, CK_FLAGS flags) {
  return in_session(handle, [&](vendor&, session& in) -> CK_RV {
    constexpr std::pair<CK_FLAGS, operation_kind> cancelled_by[] = {
        {CKF_ENCRYPT, operation_kind::encrypt},
        {CKF_DECRYPT, operation_kind::decrypt},
        {CKF_DIGEST, operation_kind::digest},
        {CKF_SIGN, operation_kind::sign},
        {CKF_SIGN_RECOVER, operation_kind::sign_recover},
        {CKF_VERIFY, operation_kind::verify},
        {CKF_VERIFY_RECOVER, operation_kind::verify_recover},
        {CKF_MESSAGE_ENCRYPT, operation_kind::message_encrypt},
        {CKF_MESSAGE_DECRYPT, operation_kind::message_decrypt},
        {CKF_MESSAGE_SIGN, operation_kind::message_sign},
        {CKF_MESSAGE_VERIFY, operation_kind::message_verify},
    };
    for (const auto& [flag, kind] : cancelled_by) {
      if ((flags & flag) != 0) in.of(kind).active = false;
    }
    if ((flags & CKF_FIND_OBJECTS) != 0) in.search.reset();
    return CKR_OK;
  });
}

}  // extern "C"
