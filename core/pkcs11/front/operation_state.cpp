// C_GetOperationState and C_SetOperationState (PKCS#11 v3.1 section 5.6).
#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {
namespace {

std::string_view state_bytes(const CK_BYTE* state, CK_ULONG length) {
  return {reinterpret_cast<const char*>(state), length};
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_GetOperationState(CK_SESSION_HANDLE handle, CK_BYTE* state, CK_ULONG* length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (!call.session.runs_any()) return CKR_OPERATION_NOT_INITIALIZED;
    const CK_RV rv = direct(
        call, repeat::if_rejected, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_GetOperationState, session, state, length);
        });
    if (rv == CKR_OK && state != nullptr) {
      call.app.states.remember(state_bytes(state, *length), call.session.running_operations());
    }
    return rv;
  });
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE handle,
                          CK_BYTE* state,
                          CK_ULONG length,
                          CK_OBJECT_HANDLE encryption_key,
                          CK_OBJECT_HANDLE authentication_key) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    std::shared_ptr<object> keys[2];
    const CK_OBJECT_HANDLE handles[2] = {encryption_key, authentication_key};
    for (int i = 0; i < 2; ++i) {
      if (handles[i] == 0) continue;
      if (const CK_RV rv = checked_object(call, handles[i], CKR_KEY_HANDLE_INVALID, keys[i]);
          rv != CKR_OK)
        return rv;
    }
    named_keys named;
    CK_OBJECT_HANDLE real[2] = {0, 0};
    const auto resolve = [&]() -> CK_RV {
      for (int i = 0; i < 2; ++i) {
        if (keys[i] == nullptr) continue;
        if (const CK_RV found = named.resolve(call, *keys[i], CKR_KEY_HANDLE_INVALID, real[i]);
            found != CKR_OK)
          return found;
      }
      return CKR_OK;
    };
    const CK_RV rv = direct(
        call,
        repeat::if_harmless,
        resolve,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(
              vendor.functions().C_SetOperationState, session, state, length, real[0], real[1]);
        });
    if (rv != CKR_OK) return named.named(rv);
    if (const auto kinds = call.app.states.kinds_in(state_bytes(state, length))) {
      for (size_t i = 0; i < kinds->size(); ++i) {
        if (kinds->test(i)) call.session.started(static_cast<operation>(i), {});
      }
    } else {
      // Not from here; the keys that it needs tell what kind of operation it may be of.
      if (encryption_key == 0 && authentication_key == 0)
        call.session.started(operation::digest, {});
      if (encryption_key != 0) call.session.started(operation::encrypt, {});
      if (authentication_key != 0) call.session.started(operation::sign, {});
    }
    return rv;
  });
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
