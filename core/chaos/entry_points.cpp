// The wrappers round the vendor's functions, and the lists that they are handed out in.
#include <cstring>
#include <type_traits>

#include "chaos_module.hpp"
#include "hsmtls_chaos.h"

namespace hsmtls::chaos {
namespace {

template <function_id Id>
using tag = std::integral_constant<function_id, Id>;

// `simulate` calls the vendor's function `next` the way the simulated token wants it. This one is
// for all functions on a session; overloads for the others follow.
template <class Tag, class... Rest>
CK_RV simulate(Tag,
               chaos_module& in,
               CK_RV (*next)(CK_SESSION_HANDLE, Rest...),
               CK_SESSION_HANDLE session,
               std::type_identity_t<Rest>... rest) {
  if (in.tokens.session_lost(session)) return CKR_DEVICE_REMOVED;
  return next(session, rest...);
}

CK_RV simulate(tag<function_id::C_Initialize>,
               chaos_module& in,
               CK_C_Initialize next,
               CK_VOID_PTR args) {
  const CK_RV rv = next(args);
  if (rv == CKR_OK) in.tokens.initialized();
  return rv;
}

CK_RV simulate(tag<function_id::C_Finalize>,
               chaos_module& in,
               CK_C_Finalize next,
               CK_VOID_PTR args) {
  const CK_RV rv = next(args);
  if (rv == CKR_OK) in.tokens.finalized();
  return rv;
}

CK_RV simulate(tag<function_id::C_GetInfo>, chaos_module&, CK_C_GetInfo next, CK_INFO_PTR info) {
  return next(info);
}

CK_RV simulate(tag<function_id::C_GetSlotList>,
               chaos_module& in,
               CK_C_GetSlotList next,
               CK_BBOOL token_present,
               CK_SLOT_ID_PTR slots,
               CK_ULONG_PTR count) {
  if (!in.tokens.active() || token_present == CK_FALSE || count == nullptr) {
    return next(token_present, slots, count);
  }
  CK_ULONG all = 0;
  if (const CK_RV rv = next(token_present, nullptr, &all); rv != CKR_OK) return rv;
  std::vector<CK_SLOT_ID> present(all);
  if (const CK_RV rv = next(token_present, present.data(), &all); rv != CKR_OK) return rv;
  present.resize(all);
  std::erase_if(present, [&](CK_SLOT_ID slot) { return in.tokens.absent(slot); });
  const CK_ULONG room = *count;
  *count = present.size();
  if (slots == nullptr) return CKR_OK;
  if (room < present.size()) return CKR_BUFFER_TOO_SMALL;
  std::copy(present.begin(), present.end(), slots);
  return CKR_OK;
}

CK_RV simulate(tag<function_id::C_GetSlotInfo>,
               chaos_module& in,
               CK_C_GetSlotInfo next,
               CK_SLOT_ID slot,
               CK_SLOT_INFO_PTR info) {
  const CK_RV rv = next(slot, info);
  if (rv == CKR_OK && in.tokens.absent(slot)) info->flags &= ~CK_FLAGS{CKF_TOKEN_PRESENT};
  return rv;
}

CK_RV simulate(tag<function_id::C_GetTokenInfo>,
               chaos_module& in,
               CK_C_GetTokenInfo next,
               CK_SLOT_ID slot,
               CK_TOKEN_INFO_PTR info) {
  if (in.tokens.absent(slot)) return CKR_TOKEN_NOT_PRESENT;
  const CK_RV rv = next(slot, info);
  if (rv == CKR_OK) in.tokens.dress(slot, *info);
  return rv;
}

template <class... Rest>
CK_RV on_slot(chaos_module& in, CK_RV (*next)(CK_SLOT_ID, Rest...), CK_SLOT_ID slot, Rest... rest) {
  return in.tokens.absent(slot) ? CKR_TOKEN_NOT_PRESENT : next(slot, rest...);
}

CK_RV simulate(tag<function_id::C_GetMechanismList>,
               chaos_module& in,
               CK_C_GetMechanismList next,
               CK_SLOT_ID slot,
               CK_MECHANISM_TYPE_PTR list,
               CK_ULONG_PTR count) {
  return on_slot(in, next, slot, list, count);
}

CK_RV simulate(tag<function_id::C_GetMechanismInfo>,
               chaos_module& in,
               CK_C_GetMechanismInfo next,
               CK_SLOT_ID slot,
               CK_MECHANISM_TYPE type,
               CK_MECHANISM_INFO_PTR info) {
  return on_slot(in, next, slot, type, info);
}

CK_RV simulate(tag<function_id::C_InitToken>,
               chaos_module& in,
               CK_C_InitToken next,
               CK_SLOT_ID slot,
               CK_UTF8CHAR_PTR pin,
               CK_ULONG pin_len,
               CK_UTF8CHAR_PTR label) {
  return on_slot(in, next, slot, pin, pin_len, label);
}

CK_RV simulate(tag<function_id::C_CloseAllSessions>,
               chaos_module& in,
               CK_C_CloseAllSessions next,
               CK_SLOT_ID slot) {
  if (in.tokens.absent(slot)) return CKR_TOKEN_NOT_PRESENT;
  const std::uint64_t then = in.tokens.now();
  const CK_RV rv = next(slot);
  if (rv == CKR_OK) in.tokens.closed_all(slot, then);
  return rv;
}

CK_RV simulate(tag<function_id::C_WaitForSlotEvent>,
               chaos_module& in,
               CK_C_WaitForSlotEvent next,
               CK_FLAGS flags,
               CK_SLOT_ID_PTR slot,
               CK_VOID_PTR reserved) {
  if (slot != nullptr) {
    if (const auto changed = in.tokens.take_event()) {
      *slot = *changed;
      return CKR_OK;
    }
  }
  return next(flags, slot, reserved);
}

CK_RV simulate(tag<function_id::C_OpenSession>,
               chaos_module& in,
               CK_C_OpenSession next,
               CK_SLOT_ID slot,
               CK_FLAGS flags,
               CK_VOID_PTR application,
               CK_NOTIFY notify,
               CK_SESSION_HANDLE_PTR session) {
  if (in.tokens.absent(slot)) return CKR_TOKEN_NOT_PRESENT;
  if (!in.tokens.begin_open(slot)) return CKR_SESSION_COUNT;
  const CK_RV rv = next(slot, flags, application, notify, session);
  if (rv != CKR_OK) {
    in.tokens.end_open(slot, std::nullopt);
    return rv;
  }
  if (in.tokens.end_open(slot, *session)) return CKR_OK;
  in.vendor.functions.C_CloseSession(*session);
  return CKR_TOKEN_NOT_PRESENT;
}

CK_RV simulate(tag<function_id::C_CloseSession>,
               chaos_module& in,
               CK_C_CloseSession next,
               CK_SESSION_HANDLE session) {
  const bool lost = in.tokens.session_lost(session);
  in.tokens.closed(session);
  return lost ? CKR_DEVICE_REMOVED : next(session);
}

template <class Next, class Pin, class... User>
CK_RV log_in(chaos_module& in,
             Next next,
             CK_SESSION_HANDLE session,
             CK_USER_TYPE user,
             Pin* pin,
             CK_ULONG pin_len,
             User... name) {
  if (in.tokens.session_lost(session)) return CKR_DEVICE_REMOVED;
  auto decided = in.tokens.judge_login(session, user, pin, pin_len);
  if (decided.answer) return *decided.answer;
  if (!decided.pin) return next(session, user, pin, pin_len, name...);
  auto* typed = reinterpret_cast<Pin*>(decided.pin->data());
  return next(session, user, typed, decided.pin->size(), name...);
}

CK_RV simulate(tag<function_id::C_Login>,
               chaos_module& in,
               CK_C_Login next,
               CK_SESSION_HANDLE session,
               CK_USER_TYPE user,
               CK_UTF8CHAR_PTR pin,
               CK_ULONG pin_len) {
  return log_in(in, next, session, user, pin, pin_len);
}

CK_RV simulate(tag<function_id::C_LoginUser>,
               chaos_module& in,
               CK_C_LoginUser next,
               CK_SESSION_HANDLE session,
               CK_USER_TYPE user,
               CK_CHAR_PTR pin,
               CK_ULONG pin_len,
               CK_UTF8CHAR_PTR name,
               CK_ULONG name_len) {
  return log_in(in, next, session, user, pin, pin_len, name, name_len);
}

CK_RV simulate(tag<function_id::C_SignInit>,
               chaos_module& in,
               CK_C_SignInit next,
               CK_SESSION_HANDLE session,
               CK_MECHANISM_PTR mechanism,
               CK_OBJECT_HANDLE key) {
  if (in.tokens.session_lost(session)) return CKR_DEVICE_REMOVED;
  const CK_RV rv = next(session, mechanism, key);
  if (rv == CKR_OK) in.tokens.sign_started(session);
  return rv;
}

// `refuse_signature` ends the vendor's operation, as a failed C_Sign has to, by throwing its result
// away.
CK_RV refuse_signature(chaos_module& in, CK_SESSION_HANDLE session) {
  CK_BYTE result[4096];
  CK_ULONG len = sizeof result;
  in.vendor.functions.C_SignFinal(session, result, &len);
  in.tokens.sign_ended(session);
  return CKR_USER_NOT_LOGGED_IN;
}

CK_RV simulate(tag<function_id::C_Sign>,
               chaos_module& in,
               CK_C_Sign next,
               CK_SESSION_HANDLE session,
               CK_BYTE_PTR data,
               CK_ULONG data_len,
               CK_BYTE_PTR signature,
               CK_ULONG_PTR signature_len) {
  if (in.tokens.session_lost(session)) return CKR_DEVICE_REMOVED;
  if (in.tokens.wants_context_login(session)) {
    CK_BYTE result[4096];
    CK_ULONG len = sizeof result;
    next(session, data, data_len, result, &len);
    in.tokens.sign_ended(session);
    return CKR_USER_NOT_LOGGED_IN;
  }
  const CK_RV rv = next(session, data, data_len, signature, signature_len);
  const bool goes_on = rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && signature == nullptr);
  if (!goes_on) in.tokens.sign_ended(session);
  return rv;
}

CK_RV simulate(tag<function_id::C_SignUpdate>,
               chaos_module& in,
               CK_C_SignUpdate next,
               CK_SESSION_HANDLE session,
               CK_BYTE_PTR part,
               CK_ULONG part_len) {
  if (in.tokens.session_lost(session)) return CKR_DEVICE_REMOVED;
  if (in.tokens.wants_context_login(session)) return refuse_signature(in, session);
  return next(session, part, part_len);
}

CK_RV simulate(tag<function_id::C_SignFinal>,
               chaos_module& in,
               CK_C_SignFinal next,
               CK_SESSION_HANDLE session,
               CK_BYTE_PTR signature,
               CK_ULONG_PTR signature_len) {
  if (in.tokens.session_lost(session)) return CKR_DEVICE_REMOVED;
  if (in.tokens.wants_context_login(session)) return refuse_signature(in, session);
  const CK_RV rv = next(session, signature, signature_len);
  const bool goes_on = rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && signature == nullptr);
  if (!goes_on) in.tokens.sign_ended(session);
  return rv;
}

bool is_private_key(chaos_module& in, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  CK_OBJECT_CLASS kind = 0;
  CK_ATTRIBUTE asked = {CKA_CLASS, &kind, sizeof kind};
  return in.vendor.functions.C_GetAttributeValue(session, object, &asked, 1) == CKR_OK &&
         kind == CKO_PRIVATE_KEY;
}

CK_RV simulate(tag<function_id::C_GetAttributeValue>,
               chaos_module& in,
               CK_C_GetAttributeValue next,
               CK_SESSION_HANDLE session,
               CK_OBJECT_HANDLE object,
               CK_ATTRIBUTE_PTR attributes,
               CK_ULONG count) {
  if (in.tokens.session_lost(session)) return CKR_DEVICE_REMOVED;
  if (!in.tokens.always_authenticates() || attributes == nullptr ||
      !is_private_key(in, session, object)) {
    return next(session, object, attributes, count);
  }
  // The vendor is asked for everything else, since it may not know the attribute at all.
  std::vector<CK_ATTRIBUTE> others;
  for (CK_ULONG i = 0; i < count; ++i) {
    if (attributes[i].type != CKA_ALWAYS_AUTHENTICATE) others.push_back(attributes[i]);
  }
  CK_RV rv = next(session, object, others.data(), others.size());
  auto other = others.begin();
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_ATTRIBUTE& each = attributes[i];
    if (each.type != CKA_ALWAYS_AUTHENTICATE) {
      each = *other++;
    } else if (each.pValue == nullptr) {
      each.ulValueLen = sizeof(CK_BBOOL);
    } else if (each.ulValueLen < sizeof(CK_BBOOL)) {
      each.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      if (rv == CKR_OK) rv = CKR_BUFFER_TOO_SMALL;
    } else {
      *static_cast<CK_BBOOL*>(each.pValue) = CK_TRUE;
      each.ulValueLen = sizeof(CK_BBOOL);
    }
  }
  return rv;
}

// A wrapper for each function that the vendor has, made from the type of its place in the list.
template <function_id Id, auto Member>
struct wrapper;

template <function_id Id, class... Args, CK_RV (*CK_FUNCTION_LIST_3_0::*Member)(Args...)>
struct wrapper<Id, Member> {
  static CK_RV call(Args... args) {
    chaos_module& in = *the_module();
    in.run_new_lines();
    in.counts.called(Id);
    const verdict decided = in.rules.judge(Id);
    if (decided.sleep.count() != 0 || decided.hang) {
      in.rules.wait(decided,
                    in.file.followed() ? [&in] { in.run_new_lines(); } : std::function<void()>());
    }
    if (decided.drop_sessions) in.drop_sessions(std::nullopt);
    CK_RV rv = CKR_OK;
    if (decided.instead) {
      rv = *decided.instead;
    } else {
      const crossing::passage inside(in.vendor_door);
      rv = simulate(tag<Id>(), in, in.vendor.functions.*Member, args...);
      if (decided.afterwards) rv = *decided.afterwards;
    }
    in.counts.returned(Id, rv);
    return rv;
  }
};

struct lists {
  CK_FUNCTION_LIST_3_0 v3_0{};
  CK_FUNCTION_LIST v2{};
  std::vector<CK_INTERFACE> interfaces;
};

CK_CHAR interface_name[] = "PKCS 11";

lists* make_lists(const vendor_module& vendor) {
  auto* made = new lists;
#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name)                                                   \
  if (vendor.functions.name != nullptr) {                                               \
    if constexpr (!returns_lists(function_id::name)) {                                  \
      made->v3_0.name = &wrapper<function_id::name, &CK_FUNCTION_LIST_3_0::name>::call; \
    }                                                                                   \
  }
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0
  made->v3_0.C_GetFunctionList = &C_GetFunctionList;
  made->v3_0.C_GetInterface = &C_GetInterface;
  made->v3_0.C_GetInterfaceList = &C_GetInterfaceList;
  std::memcpy(&made->v2, &made->v3_0, sizeof made->v2);
  made->v2.version = vendor.version_2;
  made->v3_0.version = vendor.functions.version;
  if (vendor.has_3_0) made->interfaces.push_back({interface_name, &made->v3_0, vendor.flags_3_0});
  made->interfaces.push_back({interface_name, &made->v2, 0});
  return made;
}

// Never freed: applications keep pointers into it.
lists& the_lists(const chaos_module& in) {
  static lists* const only = make_lists(in.vendor);
  return *only;
}

CK_RV counted(chaos_module& in, function_id id, CK_RV rv) {
  in.counts.returned(id, rv);
  return rv;
}

// `enter` does for the three functions that hand out lists what the wrappers do for all others.
std::optional<CK_RV> enter(chaos_module& in, function_id id) {
  in.counts.called(id);
  const verdict decided = in.rules.judge(id);
  in.rules.wait(decided, {});
  return decided.instead ? decided.instead : decided.afterwards;
}

}  // namespace
}  // namespace hsmtls::chaos

using namespace hsmtls::chaos;

extern "C" {

HSMTLS_CHAOS_API CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  chaos_module* in = the_module();
  if (in == nullptr) return CKR_GENERAL_ERROR;
  if (const auto rv = enter(*in, function_id::C_GetFunctionList)) {
    return counted(*in, function_id::C_GetFunctionList, *rv);
  }
  if (list != nullptr) *list = &the_lists(*in).v2;
  return counted(*in, function_id::C_GetFunctionList, list == nullptr ? CKR_ARGUMENTS_BAD : CKR_OK);
}

HSMTLS_CHAOS_API CK_RV C_GetInterfaceList(CK_INTERFACE_PTR out, CK_ULONG_PTR count) {
  chaos_module* in = the_module();
  if (in == nullptr) return CKR_GENERAL_ERROR;
  const auto id = function_id::C_GetInterfaceList;
  if (const auto rv = enter(*in, id)) return counted(*in, id, *rv);
  if (count == nullptr) return counted(*in, id, CKR_ARGUMENTS_BAD);
  const auto& offered = the_lists(*in).interfaces;
  const CK_ULONG room = *count;
  *count = offered.size();
  if (out == nullptr) return counted(*in, id, CKR_OK);
  if (room < offered.size()) return counted(*in, id, CKR_BUFFER_TOO_SMALL);
  std::copy(offered.begin(), offered.end(), out);
  return counted(*in, id, CKR_OK);
}

HSMTLS_CHAOS_API CK_RV C_GetInterface(CK_UTF8CHAR_PTR name,
                                      CK_VERSION_PTR version,
                                      CK_INTERFACE_PTR_PTR out,
                                      CK_FLAGS flags) {
  chaos_module* in = the_module();
  if (in == nullptr) return CKR_GENERAL_ERROR;
  const auto id = function_id::C_GetInterface;
  if (const auto rv = enter(*in, id)) return counted(*in, id, *rv);
  if (out == nullptr) return counted(*in, id, CKR_ARGUMENTS_BAD);
  const bool ours = name == nullptr || std::strcmp(reinterpret_cast<const char*>(name),
                                                   reinterpret_cast<char*>(interface_name)) == 0;
  for (CK_INTERFACE& each : the_lists(*in).interfaces) {
    const auto* offered = static_cast<const CK_VERSION*>(each.pFunctionList);
    const bool fits = version == nullptr ||
                      (version->major == offered->major && version->minor == offered->minor);
    if (!ours || !fits || (each.flags & flags) != flags) continue;
    *out = &each;
    return counted(*in, id, CKR_OK);
  }
  return counted(*in, id, CKR_FUNCTION_FAILED);
}

}  // extern "C"
