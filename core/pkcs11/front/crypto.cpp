// C_Encrypt*, C_Decrypt*, C_Digest*, C_Sign*, C_Verify* and the dual-function calls (PKCS#11 v3.1
// sections 5.8 to 5.15). One shape each for Init, single-part, Update and Final.
#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {
namespace {

using list = CK_FUNCTION_LIST;

// A signature is what a connection waits for: any error of the device is worth a rebuild. In the
// other operations a device error may be the caller's own fault and is handed on.
constexpr repeat how_to_repeat(operation which) {
  return which == operation::sign ? repeat::freely : repeat::if_harmless;
}

template <auto Member>
CK_RV init(CK_SESSION_HANDLE handle,
           operation which,
           CK_MECHANISM* mechanism,
           CK_OBJECT_HANDLE key) {
  return in_session(handle, [&](session_call& call) {
    return begin_with_key(call,
                          which,
                          how_to_repeat(which),
                          mechanism,
                          key,
                          [](const vendor_module& vendor,
                             CK_SESSION_HANDLE session,
                             CK_MECHANISM* with,
                             CK_OBJECT_HANDLE real) {
                            return invoke(vendor.functions().*Member, session, with, real);
                          });
  });
}

template <auto Member>
CK_RV whole(CK_SESSION_HANDLE handle,
            operation which,
            CK_BYTE* in,
            CK_ULONG in_length,
            CK_BYTE* out,
            CK_ULONG* out_length) {
  return in_session(handle, [&](session_call& call) {
    return single_part(call,
                       which,
                       how_to_repeat(which),
                       {in, in_length},
                       {out, out_length},
                       [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
                         return invoke(
                             vendor.functions().*Member, session, in, in_length, out, out_length);
                       });
  });
}

template <auto Member>
CK_RV update(CK_SESSION_HANDLE handle, operation which, CK_BYTE* in, CK_ULONG in_length) {
  return in_session(handle, [&](session_call& call) {
    return part(call, which, {}, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
      return invoke(vendor.functions().*Member, session, in, in_length);
    });
  });
}

template <auto Member>
CK_RV update(CK_SESSION_HANDLE handle,
             operation which,
             CK_BYTE* in,
             CK_ULONG in_length,
             CK_BYTE* out,
             CK_ULONG* out_length) {
  return in_session(handle, [&](session_call& call) {
    return part(call,
                which,
                {out, out_length},
                [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
                  return invoke(
                      vendor.functions().*Member, session, in, in_length, out, out_length);
                });
  });
}

template <auto Member>
CK_RV final(CK_SESSION_HANDLE handle, operation which, CK_BYTE* out, CK_ULONG* out_length) {
  return in_session(handle, [&](session_call& call) {
    return finish(call,
                  which,
                  {out, out_length},
                  [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
                    return invoke(vendor.functions().*Member, session, out, out_length);
                  });
  });
}

// Two operations of one session at once: `second` goes the way of `first`.
template <auto Member>
CK_RV dual(CK_SESSION_HANDLE handle,
           operation first,
           operation second,
           CK_BYTE* in,
           CK_ULONG in_length,
           CK_BYTE* out,
           CK_ULONG* out_length) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (const CK_RV rv = ensure_begun(call, second); rv != CKR_OK) return rv;
    call.session.running(second).replayable = false;
    const output result{out, out_length};
    const CK_RV rv =
        part(call, first, result, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().*Member, session, in, in_length, out, out_length);
        });
    if (rv != CKR_OK && result.ends(rv)) call.session.ended(second, rv);
    return rv;
  });
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init<&list::C_EncryptInit>(session, operation::encrypt, mechanism, key);
}
CK_RV C_Encrypt(CK_SESSION_HANDLE session,
                CK_BYTE* in,
                CK_ULONG in_length,
                CK_BYTE* out,
                CK_ULONG* out_length) {
  return whole<&list::C_Encrypt>(session, operation::encrypt, in, in_length, out, out_length);
}
CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session,
                      CK_BYTE* in,
                      CK_ULONG in_length,
                      CK_BYTE* out,
                      CK_ULONG* out_length) {
  return update<&list::C_EncryptUpdate>(
      session, operation::encrypt, in, in_length, out, out_length);
}
CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG* out_length) {
  return final<&list::C_EncryptFinal>(session, operation::encrypt, out, out_length);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init<&list::C_DecryptInit>(session, operation::decrypt, mechanism, key);
}
CK_RV C_Decrypt(CK_SESSION_HANDLE session,
                CK_BYTE* in,
                CK_ULONG in_length,
                CK_BYTE* out,
                CK_ULONG* out_length) {
  return whole<&list::C_Decrypt>(session, operation::decrypt, in, in_length, out, out_length);
}
CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session,
                      CK_BYTE* in,
                      CK_ULONG in_length,
                      CK_BYTE* out,
                      CK_ULONG* out_length) {
  return update<&list::C_DecryptUpdate>(
      session, operation::decrypt, in, in_length, out, out_length);
}
CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG* out_length) {
  return final<&list::C_DecryptFinal>(session, operation::decrypt, out, out_length);
}

CK_RV C_DigestInit(CK_SESSION_HANDLE handle, CK_MECHANISM* mechanism) {
  return in_session(handle, [&](session_call& call) {
    return begin_operation(
        call,
        operation::digest,
        how_to_repeat(operation::digest),
        mechanism,
        nullptr,
        [](const vendor_module& vendor,
           CK_SESSION_HANDLE session,
           CK_MECHANISM* with,
           CK_OBJECT_HANDLE) { return invoke(vendor.functions().C_DigestInit, session, with); });
  });
}
CK_RV C_Digest(CK_SESSION_HANDLE session,
               CK_BYTE* in,
               CK_ULONG in_length,
               CK_BYTE* out,
               CK_ULONG* out_length) {
  return whole<&list::C_Digest>(session, operation::digest, in, in_length, out, out_length);
}
CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_length) {
  return update<&list::C_DigestUpdate>(session, operation::digest, in, in_length);
}
CK_RV C_DigestKey(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (const CK_RV rv = ensure_begun(call, operation::digest); rv != CKR_OK) return rv;
    std::shared_ptr<object> what;
    if (const CK_RV rv = checked_object(call, key, CKR_KEY_HANDLE_INVALID, what); rv != CKR_OK)
      return rv;
    named_keys keys;
    CK_OBJECT_HANDLE real = 0;
    if (const CK_RV rv = keys.named(keys.resolve(call, *what, CKR_KEY_HANDLE_INVALID, real));
        rv != CKR_OK)
      return lost_in_operation(call, operation::digest, rv);
    return part(
        call, operation::digest, {}, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_DigestKey, session, real);
        });
  });
}
CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG* out_length) {
  return final<&list::C_DigestFinal>(session, operation::digest, out, out_length);
}

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init<&list::C_SignInit>(session, operation::sign, mechanism, key);
}
CK_RV C_Sign(CK_SESSION_HANDLE session,
             CK_BYTE* in,
             CK_ULONG in_length,
             CK_BYTE* out,
             CK_ULONG* out_length) {
  return whole<&list::C_Sign>(session, operation::sign, in, in_length, out, out_length);
}
CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_length) {
  return update<&list::C_SignUpdate>(session, operation::sign, in, in_length);
}
CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG* out_length) {
  return final<&list::C_SignFinal>(session, operation::sign, out, out_length);
}
CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init<&list::C_SignRecoverInit>(session, operation::sign_recover, mechanism, key);
}
CK_RV C_SignRecover(CK_SESSION_HANDLE session,
                    CK_BYTE* in,
                    CK_ULONG in_length,
                    CK_BYTE* out,
                    CK_ULONG* out_length) {
  return whole<&list::C_SignRecover>(
      session, operation::sign_recover, in, in_length, out, out_length);
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init<&list::C_VerifyInit>(session, operation::verify, mechanism, key);
}
CK_RV C_Verify(CK_SESSION_HANDLE handle,
               CK_BYTE* in,
               CK_ULONG in_length,
               CK_BYTE* signature,
               CK_ULONG signature_length) {
  return in_session(handle, [&](session_call& call) {
    return single_part(
        call,
        operation::verify,
        how_to_repeat(operation::verify),
        {in, in_length},
        {},
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(
              vendor.functions().C_Verify, session, in, in_length, signature, signature_length);
        });
  });
}
CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_length) {
  return update<&list::C_VerifyUpdate>(session, operation::verify, in, in_length);
}
CK_RV C_VerifyFinal(CK_SESSION_HANDLE handle, CK_BYTE* signature, CK_ULONG signature_length) {
  return in_session(handle, [&](session_call& call) {
    return finish(
        call, operation::verify, {}, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_VerifyFinal, session, signature, signature_length);
        });
  });
}
CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session,
                          CK_MECHANISM* mechanism,
                          CK_OBJECT_HANDLE key) {
  return init<&list::C_VerifyRecoverInit>(session, operation::verify_recover, mechanism, key);
}
CK_RV C_VerifyRecover(CK_SESSION_HANDLE session,
                      CK_BYTE* in,
                      CK_ULONG in_length,
                      CK_BYTE* out,
                      CK_ULONG* out_length) {
  return whole<&list::C_VerifyRecover>(
      session, operation::verify_recover, in, in_length, out, out_length);
}

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE session,
                            CK_BYTE* in,
                            CK_ULONG in_length,
                            CK_BYTE* out,
                            CK_ULONG* out_length) {
  return dual<&list::C_DigestEncryptUpdate>(
      session, operation::encrypt, operation::digest, in, in_length, out, out_length);
}
CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE session,
                            CK_BYTE* in,
                            CK_ULONG in_length,
                            CK_BYTE* out,
                            CK_ULONG* out_length) {
  return dual<&list::C_DecryptDigestUpdate>(
      session, operation::decrypt, operation::digest, in, in_length, out, out_length);
}
CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE session,
                          CK_BYTE* in,
                          CK_ULONG in_length,
                          CK_BYTE* out,
                          CK_ULONG* out_length) {
  return dual<&list::C_SignEncryptUpdate>(
      session, operation::encrypt, operation::sign, in, in_length, out, out_length);
}
CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE session,
                            CK_BYTE* in,
                            CK_ULONG in_length,
                            CK_BYTE* out,
                            CK_ULONG* out_length) {
  return dual<&list::C_DecryptVerifyUpdate>(
      session, operation::decrypt, operation::verify, in, in_length, out, out_length);
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
