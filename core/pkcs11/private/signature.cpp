#include "core/pkcs11/private/signature.hpp"

#include "core/pkcs11/private/failure.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct hash_row {
  uint32_t bits;
  CK_MECHANISM_TYPE hash;
  CK_RSA_PKCS_MGF_TYPE mgf;
};
constexpr hash_row hashes[] = {
    {160, CKM_SHA_1, CKG_MGF1_SHA1},
    {224, CKM_SHA224, CKG_MGF1_SHA224},
    {256, CKM_SHA256, CKG_MGF1_SHA256},
    {384, CKM_SHA384, CKG_MGF1_SHA384},
    {512, CKM_SHA512, CKG_MGF1_SHA512},
};

}  // namespace

signature_mechanism::signature_mechanism(const hsmtls_p11_signature_spec& spec) {
  switch (spec.mechanism) {
    case HSMTLS_P11_SIGN_RSA_PKCS1:
      mechanism_.mechanism = CKM_RSA_PKCS;
      return;
    case HSMTLS_P11_SIGN_RSA_RAW:
      mechanism_.mechanism = CKM_RSA_X_509;
      return;
    case HSMTLS_P11_SIGN_ECDSA:
      mechanism_.mechanism = CKM_ECDSA;
      return;
    case HSMTLS_P11_SIGN_EDDSA:
      mechanism_.mechanism = CKM_EDDSA;
      return;
    case HSMTLS_P11_SIGN_RSA_PSS:
      for (const hash_row& one : hashes) {
        if (one.bits != spec.hash_bits) continue;
        pss_ = {one.hash, one.mgf, spec.salt_len};
        mechanism_ = {CKM_RSA_PKCS_PSS, &pss_, sizeof pss_};
        return;
      }
      throw failure(HSMTLS_P11_BAD_ARGUMENT, "hash_bits is none of 160, 224, 256, 384, 512");
    default:
      throw failure(HSMTLS_P11_BAD_ARGUMENT, "unknown signature mechanism");
  }
}

CK_RV single_signature(token& behind,
                       object& key,
                       const CK_MECHANISM& mechanism,
                       bool always_authenticate,
                       std::span<const uint8_t> data,
                       uint8_t* out,
                       uint32_t& length,
                       time_point until) {
  const CK_ULONG capacity = length;
  return behind.with_recovery(until, repeat::freely, [&](uint64_t& life) -> CK_RV {
    lease in;
    if (const CK_RV rv = behind.borrow(false, until, in, life); rv != CKR_OK) return rv;
    CK_RV rv = CKR_OK;
    for (bool searched_anew = false;; searched_anew = true) {
      CK_OBJECT_HANDLE handle = 0;
      if (const CK_RV got = key.resolve(in, until, handle); got != CKR_OK) return got;
      CK_MECHANISM with = mechanism;
      rv = behind.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        return invoke(vendor.C_SignInit, session, &with, handle);
      });
      // A handle that the vendor does not know any more: perhaps only its number is new.
      if (loss_of(rv) != loss::object || searched_anew) break;
      key.distrust();
    }
    if (rv == CKR_OK && always_authenticate)
      rv = behind.login_for_operation_with_known_pin(in, until);
    CK_ULONG got = capacity;
    if (rv == CKR_OK) {
      rv = behind.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        return invoke(vendor.C_Sign,
                      session,
                      const_cast<CK_BYTE*>(data.data()),
                      static_cast<CK_ULONG>(data.size()),
                      out,
                      &got);
      });
    }
    if (rv == CKR_BUFFER_TOO_SMALL) {
      // PKCS#11 v3.1 section 5.2: the operation goes on, and would be in the way of the session's
      // next user.
      bytes whole(got);
      CK_ULONG room = got;
      const CK_RV ended =
          behind.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
            return invoke(vendor.C_Sign,
                          session,
                          const_cast<CK_BYTE*>(data.data()),
                          static_cast<CK_ULONG>(data.size()),
                          whole.data(),
                          &room);
          });
      length = static_cast<uint32_t>(got);
      if (ended == CKR_OK) return rv;
    }
    if (loss_of(rv) != loss::none)
      in.lose();
    else if (rv != CKR_OK)
      in.discard();  // an operation may be left in it
    // A session that holds an operation of somebody else, or forgot ours, is not the one that we
    // borrowed.
    if (rv == CKR_OPERATION_ACTIVE || rv == CKR_OPERATION_NOT_INITIALIZED)
      return CKR_SESSION_HANDLE_INVALID;
    if (rv == CKR_OK) length = static_cast<uint32_t>(got);
    return rv;
  });
}

}  // namespace hsmtls::pkcs11
