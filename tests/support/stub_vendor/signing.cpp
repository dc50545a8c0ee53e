// C_Sign*, C_Verify*, C_Digest*.
#include <cstring>

#include "operations.hpp"

using namespace hsmtls::stub;

namespace {

// `finish` writes the hash so far, `result_len` bytes of it, and ends the operation.
CK_RV finish(operation& op, CK_BYTE* out, CK_ULONG* len) {
  if (len == nullptr) return CKR_ARGUMENTS_BAD;
  const answer how = room_for(out, len, op.result_len);
  if (how != answer::write) return rv_of(how);
  expand(op.hash, out, op.result_len);
  op.active = false;
  return CKR_OK;
}

CK_RV single_part(
    operation& op, const CK_BYTE* data, CK_ULONG data_len, CK_BYTE* out, CK_ULONG* len) {
  if (op.multi_part) return CKR_OPERATION_ACTIVE;
  if (data == nullptr && data_len != 0) return CKR_ARGUMENTS_BAD;
  op.hash = fnv1a(data, data_len, op.seed);
  return finish(op, out, len);
}

CK_RV update(operation& op, const CK_BYTE* part, CK_ULONG len) {
  if (part == nullptr && len != 0) return CKR_ARGUMENTS_BAD;
  op.multi_part = true;
  op.hash = fnv1a(part, len, op.hash);
  return CKR_OK;
}

CK_RV compare(operation& op, const CK_BYTE* signature, CK_ULONG len) {
  op.active = false;
  if (signature == nullptr) return CKR_ARGUMENTS_BAD;
  if (len != op.result_len) return CKR_SIGNATURE_LEN_RANGE;
  bytes right(op.result_len);
  expand(op.hash, right.data(), right.size());
  return std::memcmp(right.data(), signature, len) == 0 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

// Signatures with recovery contain their data, xored.
CK_RV recoverable(operation& op, const CK_BYTE* in, CK_ULONG in_len, CK_BYTE* out, CK_ULONG* len) {
  if (len == nullptr || (in == nullptr && in_len != 0)) return CKR_ARGUMENTS_BAD;
  const answer how = room_for(out, len, in_len);
  if (how != answer::write) return rv_of(how);
  xor_into(op, in, in_len, out);
  op.active = false;
  return CKR_OK;
}

}  // namespace

extern "C" {

CK_RV C_SignInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::sign, mechanism, key, CKF_SIGN, CKA_SIGN);
}

CK_RV C_Sign(CK_SESSION_HANDLE handle,
             CK_BYTE_PTR data,
             CK_ULONG data_len,
             CK_BYTE_PTR out,
             CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::sign, [&](operation& op) -> CK_RV {
    return single_part(op, data, data_len, out, len);
  });
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG len) {
  return with_operation(
      handle, operation_kind::sign, [&](operation& op) -> CK_RV { return update(op, part, len); });
}

CK_RV C_SignFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(
      handle, operation_kind::sign, [&](operation& op) -> CK_RV { return finish(op, out, len); });
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE handle,
                        CK_MECHANISM_PTR mechanism,
                        CK_OBJECT_HANDLE key) {
  return start(
      handle, operation_kind::sign_recover, mechanism, key, CKF_SIGN_RECOVER, CKA_SIGN_RECOVER);
}

CK_RV C_SignRecover(CK_SESSION_HANDLE handle,
                    CK_BYTE_PTR data,
                    CK_ULONG data_len,
                    CK_BYTE_PTR out,
                    CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::sign_recover, [&](operation& op) -> CK_RV {
    return recoverable(op, data, data_len, out, len);
  });
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::verify, mechanism, key, CKF_VERIFY, CKA_VERIFY);
}

CK_RV C_Verify(CK_SESSION_HANDLE handle,
               CK_BYTE_PTR data,
               CK_ULONG data_len,
               CK_BYTE_PTR signature,
               CK_ULONG len) {
  return with_operation(handle, operation_kind::verify, [&](operation& op) -> CK_RV {
    if (op.multi_part) return CKR_OPERATION_ACTIVE;
    if (data == nullptr && data_len != 0) return CKR_ARGUMENTS_BAD;
    op.hash = fnv1a(data, data_len, op.seed);
    return compare(op, signature, len);
  });
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG len) {
  return with_operation(handle, operation_kind::verify, [&](operation& op) -> CK_RV {
    return update(op, part, len);
  });
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR signature, CK_ULONG len) {
  return with_operation(handle, operation_kind::verify, [&](operation& op) -> CK_RV {
    return compare(op, signature, len);
  });
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE handle,
                          CK_MECHANISM_PTR mechanism,
                          CK_OBJECT_HANDLE key) {
  return start(handle,
               operation_kind::verify_recover,
               mechanism,
               key,
               CKF_VERIFY_RECOVER,
               CKA_VERIFY_RECOVER);
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE handle,
                      CK_BYTE_PTR signature,
                      CK_ULONG signature_len,
                      CK_BYTE_PTR out,
                      CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::verify_recover, [&](operation& op) -> CK_RV {
    return recoverable(op, signature, signature_len, out, len);
  });
}

CK_RV C_DigestInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism) {
  return in_session(handle, [&](vendor&, session& in) -> CK_RV {
    operation& op = in.of(operation_kind::digest);
    if (mechanism == nullptr) {
      op = {};
      return CKR_OK;
    }
    if (op.active) return CKR_OPERATION_ACTIVE;
    const mechanism_entry* known = find_mechanism(mechanism->mechanism);
    if (known == nullptr || known->digest_len == 0) return CKR_MECHANISM_INVALID;
    op = {};
    op.active = true;
    op.seed = op.hash = signature_seed(0, mechanism->mechanism);
    op.result_len = known->digest_len;
    return CKR_OK;
  });
}

CK_RV C_Digest(CK_SESSION_HANDLE handle,
               CK_BYTE_PTR data,
               CK_ULONG data_len,
               CK_BYTE_PTR out,
               CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::digest, [&](operation& op) -> CK_RV {
    return single_part(op, data, data_len, out, len);
  });
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG len) {
  return with_operation(handle, operation_kind::digest, [&](operation& op) -> CK_RV {
    return update(op, part, len);
  });
}

CK_RV C_DigestKey(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    operation& op = in.of(operation_kind::digest);
    if (!op.active) return CKR_OPERATION_NOT_INITIALIZED;
    const object* found = all.find_object(in, key);
    if (found == nullptr) return CKR_KEY_HANDLE_INVALID;
    const bytes* value = found->find(CKA_VALUE);
    if (found->object_class != CKO_SECRET_KEY || value == nullptr) return CKR_KEY_INDIGESTIBLE;
    return update(op, value->data(), value->size());
  });
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR out, CK_ULONG_PTR len) {
  return with_operation(
      handle, operation_kind::digest, [&](operation& op) -> CK_RV { return finish(op, out, len); });
}

}  // extern "C"
