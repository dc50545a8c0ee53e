// C_Encrypt*, C_Decrypt*, the functions that do two things at once, random numbers.
#include "operations.hpp"

using namespace hsmtls::stub;

namespace {

CK_RV cipher(
    operation& op, const CK_BYTE* in, CK_ULONG in_len, CK_BYTE* out, CK_ULONG* out_len, bool ends) {
  if (out_len == nullptr || (in == nullptr && in_len != 0)) return CKR_ARGUMENTS_BAD;
  if (ends && op.multi_part && in != nullptr) return CKR_OPERATION_ACTIVE;
  const answer how = room_for(out, out_len, in_len);
  if (how != answer::write) return rv_of(how);
  xor_into(op, in, in_len, out);
  op.multi_part = true;
  op.active = !ends;
  return CKR_OK;
}

// `both` runs the update of a cipher and of a hash over the same plain text.
CK_RV both(CK_SESSION_HANDLE handle,
           operation_kind cipher_kind,
           operation_kind hash_kind,
           bool plain_is_input,
           const CK_BYTE* in,
           CK_ULONG in_len,
           CK_BYTE* out,
           CK_ULONG* out_len) {
  return in_session(handle, [&](vendor&, session& current) -> CK_RV {
    operation& ciphering = current.of(cipher_kind);
    operation& hashing = current.of(hash_kind);
    if (!ciphering.active || !hashing.active) return CKR_OPERATION_NOT_INITIALIZED;
    const CK_RV rv = cipher(ciphering, in, in_len, out, out_len, false);
    if (rv == CKR_OK && out != nullptr) {
      hashing.multi_part = true;
      hashing.hash = fnv1a(plain_is_input ? in : out, in_len, hashing.hash);
    }
    return rv;
  });
}

}  // namespace

extern "C" {

CK_RV C_EncryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::encrypt, mechanism, key, CKF_ENCRYPT, CKA_ENCRYPT);
}

CK_RV C_Encrypt(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::encrypt, [&](operation& op) -> CK_RV {
    return cipher(op, in, in_len, out, len, true);
  });
}

CK_RV C_EncryptUpdate(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::encrypt, [&](operation& op) -> CK_RV {
    return cipher(op, in, in_len, out, len, false);
  });
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::encrypt, [&](operation& op) -> CK_RV {
    return cipher(op, nullptr, 0, out, len, true);
  });
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::decrypt, mechanism, key, CKF_DECRYPT, CKA_DECRYPT);
}

CK_RV C_Decrypt(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::decrypt, [&](operation& op) -> CK_RV {
    return cipher(op, in, in_len, out, len, true);
  });
}

CK_RV C_DecryptUpdate(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::decrypt, [&](operation& op) -> CK_RV {
    return cipher(op, in, in_len, out, len, false);
  });
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::decrypt, [&](operation& op) -> CK_RV {
    return cipher(op, nullptr, 0, out, len, true);
  });
}

CK_RV C_DigestEncryptUpdate(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return both(handle, operation_kind::encrypt, operation_kind::digest, true, in, in_len, out, len);
}

CK_RV C_DecryptDigestUpdate(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return both(handle, operation_kind::decrypt, operation_kind::digest, false, in, in_len, out, len);
}

CK_RV C_SignEncryptUpdate(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return both(handle, operation_kind::encrypt, operation_kind::sign, true, in, in_len, out, len);
}

CK_RV C_DecryptVerifyUpdate(
    CK_SESSION_HANDLE handle, CK_BYTE_PTR in, CK_ULONG in_len, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return both(handle, operation_kind::decrypt, operation_kind::verify, false, in, in_len, out, len);
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR seed, CK_ULONG len) {
  return in_session(handle, [&](vendor&, session&) -> CK_RV {
    return seed == nullptr && len != 0 ? CKR_ARGUMENTS_BAD : CKR_OK;
  });
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG len) {
  return in_session(handle, [&](vendor& all, session&) -> CK_RV {
    if (out == nullptr && len != 0) return CKR_ARGUMENTS_BAD;
    expand(all.random(), out, len);
    return CKR_OK;
  });
}

}  // extern "C"
