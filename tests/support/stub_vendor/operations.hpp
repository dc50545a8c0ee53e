// Starting and ending the operations of a session.
#pragma once

#include "mechanisms.hpp"
#include "stub_signature.hpp"
#include "vendor.hpp"

namespace hsmtls::stub {

// `start` is what every C_xxxInit with a key does: `use` is the mechanism's CKF_ flag, `permission`
// the key's CKA_ attribute. PKCS#11 v3.0 section 5.2: a NULL mechanism cancels the operation.
inline CK_RV start(CK_SESSION_HANDLE handle,
                   operation_kind kind,
                   const CK_MECHANISM* mechanism,
                   CK_OBJECT_HANDLE key,
                   CK_FLAGS use,
                   CK_ATTRIBUTE_TYPE permission) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    operation& op = in.of(kind);
    if (mechanism == nullptr) {
      op = {};
      return CKR_OK;
    }
    if (op.active) return CKR_OPERATION_ACTIVE;
    const mechanism_entry* known = find_mechanism(mechanism->mechanism);
    if (known == nullptr || (known->flags & use) == 0) return CKR_MECHANISM_INVALID;
    bool hidden = false;
    const object* found = all.find_object(in, key, &hidden);
    if (found == nullptr) return hidden ? CKR_USER_NOT_LOGGED_IN : CKR_KEY_HANDLE_INVALID;
    if (known->key_type != any_key && known->key_type != found->key_type) {
      return CKR_KEY_TYPE_INCONSISTENT;
    }
    if (!found->flag(permission)) return CKR_KEY_FUNCTION_NOT_PERMITTED;
    op = {};
    op.active = true;
    op.seed = signature_seed(found->mark, mechanism->mechanism);
    op.hash = op.seed;
    op.result_len = found->signature_len;
    op.pad = static_cast<CK_BYTE>(found->mark | 1);
    op.wants_context_login = found->always_authenticate;
    return CKR_OK;
  });
}

// `with_operation` runs `body(operation&)` and ends the operation if that fails, as PKCS#11 v3.0
// section 5.2 wants it for everything but CKR_BUFFER_TOO_SMALL.
template <class Body>
CK_RV with_operation(CK_SESSION_HANDLE handle, operation_kind kind, Body&& body) {
  return in_session(handle, [&](vendor&, session& in) -> CK_RV {
    operation& op = in.of(kind);
    if (!op.active) return CKR_OPERATION_NOT_INITIALIZED;
    const CK_RV rv = op.wants_context_login ? CKR_USER_NOT_LOGGED_IN : body(op);
    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL) op.active = false;
    return rv;
  });
}

enum class answer { size_only, too_small, write };

// `room_for` handles the two-call convention (PKCS#11 v3.0 section 5.2); *len becomes `needed`.
inline answer room_for(const CK_BYTE* out, CK_ULONG* len, CK_ULONG needed) {
  const CK_ULONG room = *len;
  *len = needed;
  if (out == nullptr) return answer::size_only;
  return room < needed ? answer::too_small : answer::write;
}

inline CK_RV rv_of(answer given) {
  return given == answer::too_small ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

// `xor_into` is all the encryption there is.
inline void xor_into(const operation& op, const CK_BYTE* in, CK_ULONG len, CK_BYTE* out) {
  for (CK_ULONG i = 0; i < len; ++i) out[i] = in[i] ^ op.pad;
}

}  // namespace hsmtls::stub
