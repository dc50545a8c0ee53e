// C_GetSlotList to C_InitToken (PKCS#11 v3.1 section 5.5). The slots of several vendors' modules
// stand side by side; a number that was given out means the same slot for as long as the process
// lives.
#include <algorithm>
#include <cstring>

#include "core/pkcs11/base/refused_pins.hpp"
#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {
namespace {

constexpr milliseconds slot_event_poll{100};

// `ask_slot` asks the vendor about a slot, outside any session: run(const CK_FUNCTION_LIST&, real
// slot).
template <class Run>
CK_RV ask_slot(CK_SLOT_ID slot, Run&& run) {
  return on_slot(slot, [&](slot_call& call) {
    token& behind = call.behind;
    const auto ask = [&] {
      return behind.module().call(
          call.until, [&](const CK_FUNCTION_LIST& vendor) { return run(vendor, behind.slot()); });
    };
    const CK_RV rv = ask();
    // A device error here is an answer about the question, not a loss.
    if (loss_of(rv) == loss::hard || !behind.worth_recovering(loss_of(rv))) return rv;
    // Whoever asks about a token that is being brought back gets its answer when it is.
    behind.recover_now(loss_of(rv), call.until);
    return ask();
  });
}

// The slot that a thread is in, and nothing else.
CK_RV list_view(application& app, CK_SLOT_ID* out, CK_ULONG& count) {
  const CK_ULONG room = count;
  count = app.process().find_view(view::entered()) != nullptr ? 1 : 0;
  if (out == nullptr || count == 0) return CKR_OK;
  if (room < count) return CKR_BUFFER_TOO_SMALL;
  *out = view::entered();
  return CKR_OK;
}

CK_RV next_event(application& app, time_point until, CK_SLOT_ID& slot) {
  CK_RV answer = CKR_FUNCTION_NOT_SUPPORTED;
  for (vendor_module* module : app.process().modules(face::front)) {
    CK_SLOT_ID real = 0;
    const CK_RV rv = module->call(until, [&](const CK_FUNCTION_LIST& vendor) {
      return invoke(vendor.C_WaitForSlotEvent, CK_FLAGS{CKF_DONT_BLOCK}, &real, nullptr);
    });
    if (rv == CKR_OK) return app.process().id_of(*module, real, until, slot);
    // One that cannot tell is no reason to leave out those that can.
    if (rv == CKR_FUNCTION_NOT_SUPPORTED ||
        (rv == CKR_NO_EVENT && answer != CKR_FUNCTION_NOT_SUPPORTED))
      continue;
    // The application is initialised, whatever somebody else did to the module.
    answer = rv == CKR_CRYPTOKI_NOT_INITIALIZED ? CKR_FUNCTION_FAILED : rv;
  }
  return answer;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_GetSlotList(CK_BBOOL with_token, CK_SLOT_ID* out, CK_ULONG* count) {
  return contained([&]() -> CK_RV {
    application& app = application::current();
    if (!app.initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (count == nullptr) return CKR_ARGUMENTS_BAD;
    if (view::entered() != 0) return list_view(app, out, *count);
    std::vector<runtime::slot> all;
    if (const CK_RV rv = app.process().slots(app.process().modules(face::front),
                                             with_token != CK_FALSE,
                                             steady::now() + settings().deadline,
                                             all);
        rv != CKR_OK)
      return rv;
    const CK_ULONG room = *count;
    *count = static_cast<CK_ULONG>(all.size());
    if (out == nullptr) return CKR_OK;
    if (room < all.size()) return CKR_BUFFER_TOO_SMALL;
    std::transform(all.begin(), all.end(), out, [](const runtime::slot& one) { return one.id; });
    return CKR_OK;
  });
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  return ask_slot(slot, [&](const CK_FUNCTION_LIST& vendor, CK_SLOT_ID real) {
    return invoke(vendor.C_GetSlotInfo, real, info);
  });
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV rv = ask_slot(slot, [&](const CK_FUNCTION_LIST& vendor, CK_SLOT_ID real) {
    return invoke(vendor.C_GetTokenInfo, real, info);
  });
  if (rv == CKR_OK && is_view(slot)) {
    // Its owner is logged in, and nobody writes through it.
    info->flags &= ~CK_FLAGS{CKF_LOGIN_REQUIRED | CKF_PROTECTED_AUTHENTICATION_PATH};
    info->flags |= CKF_WRITE_PROTECTED;
  }
  return rv;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* out, CK_ULONG* count) {
  const CK_ULONG room = count != nullptr ? *count : 0;
  return ask_slot(slot, [&](const CK_FUNCTION_LIST& vendor, CK_SLOT_ID real) {
    if (count != nullptr) *count = room;
    return invoke(vendor.C_GetMechanismList, real, out, count);
  });
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info) {
  return ask_slot(slot, [&](const CK_FUNCTION_LIST& vendor, CK_SLOT_ID real) {
    return invoke(vendor.C_GetMechanismInfo, real, type, info);
  });
}

CK_RV C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG length, CK_UTF8CHAR* label) {
  return on_slot(slot, [&](slot_call& call) -> CK_RV {
    token& behind = call.behind;
    if (call.through != nullptr) return CKR_TOKEN_WRITE_PROTECTED;
    // PKCS#11 v3.1 C_InitToken: not while any application's session is open on the token.
    if (behind.application_sessions() > 0 || behind.logged_in(face::private_abi))
      return CKR_SESSION_EXISTS;
    behind.release_idle();
    return behind.initialise({pin, pin == nullptr ? 0 : length}, label, call.until);
  });
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID* slot, CK_VOID_PTR) {
  return contained([&]() -> CK_RV {
    application& app = application::current();
    if (!app.initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (slot == nullptr) return CKR_ARGUMENTS_BAD;
    // Polled: a vendor's blocking wait would have to be ended by C_Finalize, and with it every
    // session.
    for (;;) {
      const CK_RV rv = next_event(app, steady::now() + settings().deadline, *slot);
      // PKCS#11 v3.1 C_Finalize: a call that waits here answers CKR_CRYPTOKI_NOT_INITIALIZED.
      if (!app.initialised()) return CKR_CRYPTOKI_NOT_INITIALIZED;
      if (rv != CKR_NO_EVENT || (flags & CKF_DONT_BLOCK) != 0) return rv;
      if (app.wait_for_finalise(slot_event_poll)) return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
  });
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
