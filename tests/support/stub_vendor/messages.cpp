// The message-based functions of PKCS#11 v3.0: one C_MessageXxxInit, then any number of messages.
#include <cstring>

#include "operations.hpp"

using namespace hsmtls::stub;

namespace {

CK_RV end(CK_SESSION_HANDLE handle, operation_kind kind) {
  return with_operation(handle, kind, [](operation& op) -> CK_RV {
    op.active = false;
    return CKR_OK;
  });
}

CK_RV begin_message(CK_SESSION_HANDLE handle, operation_kind kind) {
  return with_operation(handle, kind, [](operation& op) -> CK_RV {
    if (op.multi_part) return CKR_OPERATION_ACTIVE;
    op.multi_part = true;
    op.hash = op.seed;
    return CKR_OK;
  });
}

CK_RV cipher_message(CK_SESSION_HANDLE handle,
                     operation_kind kind,
                     const CK_BYTE* in,
                     CK_ULONG in_len,
                     CK_BYTE* out,
                     CK_ULONG* out_len,
                     bool begun,
                     bool ends) {
  return with_operation(handle, kind, [&](operation& op) -> CK_RV {
    if (op.multi_part != begun) {
      return begun ? CKR_OPERATION_NOT_INITIALIZED : CKR_OPERATION_ACTIVE;
    }
    if (out_len == nullptr || (in == nullptr && in_len != 0)) return CKR_ARGUMENTS_BAD;
    const answer how = room_for(out, out_len, in_len);
    if (how != answer::write) return rv_of(how);
    xor_into(op, in, in_len, out);
    if (ends) op.multi_part = false;
    return CKR_OK;
  });
}

CK_RV sign_message(operation& op, CK_BYTE* out, CK_ULONG* len) {
  const answer how = room_for(out, len, op.result_len);
  if (how != answer::write) return rv_of(how);
  expand(op.hash, out, op.result_len);
  op.multi_part = false;
  return CKR_OK;
}

CK_RV verify_message(operation& op, const CK_BYTE* signature, CK_ULONG len) {
  op.multi_part = false;
  if (len != op.result_len) return CKR_SIGNATURE_LEN_RANGE;
  bytes right(op.result_len);
  expand(op.hash, right.data(), right.size());
  return std::memcmp(right.data(), signature, len) == 0 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

}  // namespace

extern "C" {

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE handle,
                           CK_MECHANISM_PTR mechanism,
                           CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::message_encrypt, mechanism, key, CKF_ENCRYPT, CKA_ENCRYPT);
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE handle,
                       CK_VOID_PTR,
                       CK_ULONG,
                       CK_BYTE_PTR,
                       CK_ULONG,
                       CK_BYTE_PTR in,
                       CK_ULONG in_len,
                       CK_BYTE_PTR out,
                       CK_ULONG_PTR len) {
  return cipher_message(handle, operation_kind::message_encrypt, in, in_len, out, len, false, true);
}

CK_RV C_EncryptMessageBegin(
    CK_SESSION_HANDLE handle, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG) {
  return begin_message(handle, operation_kind::message_encrypt);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE handle,
                           CK_VOID_PTR,
                           CK_ULONG,
                           CK_BYTE_PTR in,
                           CK_ULONG in_len,
                           CK_BYTE_PTR out,
                           CK_ULONG_PTR len,
                           CK_FLAGS flags) {
  const bool ends = (flags & CKF_END_OF_MESSAGE) != 0;
  return cipher_message(handle, operation_kind::message_encrypt, in, in_len, out, len, true, ends);
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE handle) {
  return end(handle, operation_kind::message_encrypt);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE handle,
                           CK_MECHANISM_PTR mechanism,
                           CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::message_decrypt, mechanism, key, CKF_DECRYPT, CKA_DECRYPT);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE handle,
                       CK_VOID_PTR,
                       CK_ULONG,
                       CK_BYTE_PTR,
                       CK_ULONG,
                       CK_BYTE_PTR in,
                       CK_ULONG in_len,
                       CK_BYTE_PTR out,
                       CK_ULONG_PTR len) {
  return cipher_message(handle, operation_kind::message_decrypt, in, in_len, out, len, false, true);
}

CK_RV C_DecryptMessageBegin(
    CK_SESSION_HANDLE handle, CK_VOID_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG) {
  return begin_message(handle, operation_kind::message_decrypt);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE handle,
                           CK_VOID_PTR,
                           CK_ULONG,
                           CK_BYTE_PTR in,
                           CK_ULONG in_len,
                           CK_BYTE_PTR out,
                           CK_ULONG_PTR len,
                           CK_FLAGS flags) {
  const bool ends = (flags & CKF_END_OF_MESSAGE) != 0;
  return cipher_message(handle, operation_kind::message_decrypt, in, in_len, out, len, true, ends);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE handle) {
  return end(handle, operation_kind::message_decrypt);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE handle,
                        CK_MECHANISM_PTR mechanism,
                        CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::message_sign, mechanism, key, CKF_SIGN, CKA_SIGN);
}

CK_RV C_SignMessage(CK_SESSION_HANDLE handle,
                    CK_VOID_PTR,
                    CK_ULONG,
                    CK_BYTE_PTR data,
                    CK_ULONG data_len,
                    CK_BYTE_PTR out,
                    CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::message_sign, [&](operation& op) -> CK_RV {
    if (op.multi_part) return CKR_OPERATION_ACTIVE;
    if (len == nullptr || (data == nullptr && data_len != 0)) return CKR_ARGUMENTS_BAD;
    op.hash = fnv1a(data, data_len, op.seed);
    return sign_message(op, out, len);
  });
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE handle, CK_VOID_PTR, CK_ULONG) {
  return begin_message(handle, operation_kind::message_sign);
}

CK_RV C_SignMessageNext(CK_SESSION_HANDLE handle,
                        CK_VOID_PTR,
                        CK_ULONG,
                        CK_BYTE_PTR data,
                        CK_ULONG data_len,
                        CK_BYTE_PTR out,
                        CK_ULONG_PTR len) {
  return with_operation(handle, operation_kind::message_sign, [&](operation& op) -> CK_RV {
    if (!op.multi_part) return CKR_OPERATION_NOT_INITIALIZED;
    if (data == nullptr && data_len != 0) return CKR_ARGUMENTS_BAD;
    if (len == nullptr) {  // more to come
      op.hash = fnv1a(data, data_len, op.hash);
      return CKR_OK;
    }
    // The last part must not be hashed twice when the caller first asks for the size.
    const std::uint64_t before = op.hash;
    op.hash = fnv1a(data, data_len, op.hash);
    const CK_RV rv = sign_message(op, out, len);
    if (op.multi_part) op.hash = before;
    return rv;
  });
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE handle) {
  return end(handle, operation_kind::message_sign);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE handle,
                          CK_MECHANISM_PTR mechanism,
                          CK_OBJECT_HANDLE key) {
  return start(handle, operation_kind::message_verify, mechanism, key, CKF_VERIFY, CKA_VERIFY);
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE handle,
                      CK_VOID_PTR,
                      CK_ULONG,
                      CK_BYTE_PTR data,
                      CK_ULONG data_len,
                      CK_BYTE_PTR signature,
                      CK_ULONG len) {
  return with_operation(handle, operation_kind::message_verify, [&](operation& op) -> CK_RV {
    if (op.multi_part) return CKR_OPERATION_ACTIVE;
    if (signature == nullptr || (data == nullptr && data_len != 0)) return CKR_ARGUMENTS_BAD;
    op.hash = fnv1a(data, data_len, op.seed);
    return verify_message(op, signature, len);
  });
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE handle, CK_VOID_PTR, CK_ULONG) {
  return begin_message(handle, operation_kind::message_verify);
}

CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE handle,
                          CK_VOID_PTR,
                          CK_ULONG,
                          CK_BYTE_PTR data,
                          CK_ULONG data_len,
                          CK_BYTE_PTR signature,
                          CK_ULONG len) {
  return with_operation(handle, operation_kind::message_verify, [&](operation& op) -> CK_RV {
    if (!op.multi_part) return CKR_OPERATION_NOT_INITIALIZED;
    if (data == nullptr && data_len != 0) return CKR_ARGUMENTS_BAD;
    op.hash = fnv1a(data, data_len, op.hash);
    return signature == nullptr ? CKR_OK : verify_message(op, signature, len);
  });
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE handle) {
  return end(handle, operation_kind::message_verify);
}

}  // extern "C"
