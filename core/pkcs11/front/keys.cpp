// C_GenerateKey to C_DeriveKey, and random numbers (PKCS#11 v3.1 sections 5.18 and 5.19).
#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/made_objects.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_GenerateKey(CK_SESSION_HANDLE handle,
                    CK_MECHANISM* mechanism,
                    CK_ATTRIBUTE* pattern,
                    CK_ULONG count,
                    CK_OBJECT_HANDLE* key) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (key == nullptr) return CKR_ARGUMENTS_BAD;
    return make_object(
        call,
        *key,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE& made) {
          return invoke(
              vendor.functions().C_GenerateKey, session, mechanism, pattern, count, &made);
        });
  });
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE handle,
                        CK_MECHANISM* mechanism,
                        CK_ATTRIBUTE* public_pattern,
                        CK_ULONG public_count,
                        CK_ATTRIBUTE* private_pattern,
                        CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key,
                        CK_OBJECT_HANDLE* private_key) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (public_key == nullptr || private_key == nullptr) return CKR_ARGUMENTS_BAD;
    if (call.session.through() != nullptr) return CKR_TOKEN_WRITE_PROTECTED;
    CK_OBJECT_HANDLE made_public = 0;
    CK_OBJECT_HANDLE made_private = 0;
    CK_RV rv = direct(
        call, repeat::if_rejected, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_GenerateKeyPair,
                        session,
                        mechanism,
                        public_pattern,
                        public_count,
                        private_pattern,
                        private_count,
                        &made_public,
                        &made_private);
        });
    if (rv != CKR_OK) return rv;
    CK_OBJECT_HANDLE known_public = 0;
    if (rv = adopt_made(call, made_public, known_public); rv != CKR_OK) {
      unmake(call, made_private);
      return rv;
    }
    if (rv = adopt_made(call, made_private, *private_key); rv != CKR_OK) {
      unmake(call, made_public);
      if (call.app.objects.remove(known_public) != 0) call.session.session_object_destroyed();
      return rv;
    }
    *public_key = known_public;
    return CKR_OK;
  });
}

CK_RV C_WrapKey(CK_SESSION_HANDLE handle,
                CK_MECHANISM* mechanism,
                CK_OBJECT_HANDLE wrapping_key,
                CK_OBJECT_HANDLE key,
                CK_BYTE* wrapped,
                CK_ULONG* wrapped_length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    std::shared_ptr<object> wrapping;
    std::shared_ptr<object> what;
    if (const CK_RV rv =
            checked_object(call, wrapping_key, CKR_WRAPPING_KEY_HANDLE_INVALID, wrapping);
        rv != CKR_OK)
      return rv;
    if (const CK_RV rv = checked_object(call, key, CKR_KEY_HANDLE_INVALID, what); rv != CKR_OK)
      return rv;
    const CK_ULONG capacity = wrapped_length != nullptr ? *wrapped_length : 0;
    CK_OBJECT_HANDLE real_wrapping = 0;
    CK_OBJECT_HANDLE real = 0;
    named_keys keys;
    const auto resolve = [&]() -> CK_RV {
      const CK_RV rv =
          keys.resolve(call, *wrapping, CKR_WRAPPING_KEY_HANDLE_INVALID, real_wrapping);
      return rv == CKR_OK ? keys.resolve(call, *what, CKR_KEY_HANDLE_INVALID, real) : rv;
    };
    const CK_RV rv = direct(call,
                            repeat::if_harmless,
                            resolve,
                            [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
                              if (wrapped_length != nullptr) *wrapped_length = capacity;
                              return invoke(vendor.functions().C_WrapKey,
                                            session,
                                            mechanism,
                                            real_wrapping,
                                            real,
                                            wrapped,
                                            wrapped_length);
                            });
    return keys.named(rv);
  });
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE handle,
                  CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE unwrapping_key,
                  CK_BYTE* wrapped,
                  CK_ULONG wrapped_length,
                  CK_ATTRIBUTE* pattern,
                  CK_ULONG count,
                  CK_OBJECT_HANDLE* key) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (key == nullptr) return CKR_ARGUMENTS_BAD;
    std::shared_ptr<object> what;
    if (const CK_RV rv =
            checked_object(call, unwrapping_key, CKR_UNWRAPPING_KEY_HANDLE_INVALID, what);
        rv != CKR_OK)
      return rv;
    named_keys keys;
    CK_OBJECT_HANDLE real = 0;
    const CK_RV rv = make_object(
        call,
        *key,
        [&] { return keys.resolve(call, *what, CKR_UNWRAPPING_KEY_HANDLE_INVALID, real); },
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE& made) {
          return invoke(vendor.functions().C_UnwrapKey,
                        session,
                        mechanism,
                        real,
                        wrapped,
                        wrapped_length,
                        pattern,
                        count,
                        &made);
        });
    return keys.named(rv);
  });
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE handle,
                  CK_MECHANISM* mechanism,
                  CK_OBJECT_HANDLE base_key,
                  CK_ATTRIBUTE* pattern,
                  CK_ULONG count,
                  CK_OBJECT_HANDLE* key) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    std::shared_ptr<object> what;
    if (const CK_RV rv = checked_object(call, base_key, CKR_KEY_HANDLE_INVALID, what); rv != CKR_OK)
      return rv;
    CK_OBJECT_HANDLE real = 0;
    named_keys keys;
    const auto resolve = [&] { return keys.resolve(call, *what, CKR_KEY_HANDLE_INVALID, real); };
    const auto derive = [&](const vendor_module& vendor,
                            CK_SESSION_HANDLE session,
                            CK_OBJECT_HANDLE* made) {
      return invoke(vendor.functions().C_DeriveKey, session, mechanism, real, pattern, count, made);
    };
    // PKCS#11 v3.1 C_DeriveKey: some mechanisms return their keys in their parameter and none here.
    const CK_RV rv =
        key == nullptr
            ? direct(call,
                     repeat::if_rejected,
                     resolve,
                     [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
                       return derive(vendor, session, nullptr);
                     })
            : make_object(call,
                          *key,
                          resolve,
                          [&](const vendor_module& vendor,
                              CK_SESSION_HANDLE session,
                              CK_OBJECT_HANDLE& made) { return derive(vendor, session, &made); });
    return keys.named(rv);
  });
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE handle, CK_BYTE* seed, CK_ULONG length) {
  return in_session(handle, [&](session_call& call) {
    return direct(
        call, repeat::if_harmless, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_SeedRandom, session, seed, length);
        });
  });
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE handle, CK_BYTE* out, CK_ULONG length) {
  return in_session(handle, [&](session_call& call) {
    return direct(
        call, repeat::if_harmless, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_GenerateRandom, session, out, length);
        });
  });
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
