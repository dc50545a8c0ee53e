// The message-based functions of PKCS#11 v3.0 (PKCS#11 v3.1 sections 5.9, 5.11, 5.14, 5.16). Their
// parameters hold pointers: an operation is begun again after a loss, but never replayed.
#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {
namespace {

using list = CK_FUNCTION_LIST_3_0;

template <auto Member, class... Arguments>
CK_RV call_v3(const vendor_module& vendor, Arguments... arguments) {
  const list* functions = vendor.functions_v3();
  return functions != nullptr ? invoke(functions->*Member, arguments...)
                              : CKR_FUNCTION_NOT_SUPPORTED;
}

template <auto Member>
CK_RV init(CK_SESSION_HANDLE handle,
           operation which,
           CK_MECHANISM* mechanism,
           CK_OBJECT_HANDLE key) {
  return in_session(handle, [&](session_call& call) {
    return begin_with_key(
        call,
        which,
        repeat::if_harmless,
        mechanism,
        key,
        [](const vendor_module& vendor,
           CK_SESSION_HANDLE session,
           CK_MECHANISM* with,
           CK_OBJECT_HANDLE real) { return call_v3<Member>(vendor, session, with, real); });
  });
}

template <auto Member, class... Arguments>
CK_RV message(CK_SESSION_HANDLE handle, operation which, Arguments... arguments) {
  return in_session(handle, [&](session_call& call) {
    return step(call, which, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
      return call_v3<Member>(vendor, session, arguments...);
    });
  });
}

template <auto Member>
CK_RV final(CK_SESSION_HANDLE handle, operation which) {
  return in_session(handle, [&](session_call& call) {
    return finish(call, which, {}, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
      return call_v3<Member>(vendor, session);
    });
  });
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session,
                           CK_MECHANISM* mechanism,
                           CK_OBJECT_HANDLE key) {
  return init<&list::C_MessageEncryptInit>(session, operation::message_encrypt, mechanism, key);
}
CK_RV C_EncryptMessage(CK_SESSION_HANDLE session,
                       void* parameter,
                       CK_ULONG parameter_length,
                       CK_BYTE* associated,
                       CK_ULONG associated_length,
                       CK_BYTE* plain,
                       CK_ULONG plain_length,
                       CK_BYTE* cipher,
                       CK_ULONG* cipher_length) {
  return message<&list::C_EncryptMessage>(session,
                                          operation::message_encrypt,
                                          parameter,
                                          parameter_length,
                                          associated,
                                          associated_length,
                                          plain,
                                          plain_length,
                                          cipher,
                                          cipher_length);
}
CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session,
                            void* parameter,
                            CK_ULONG parameter_length,
                            CK_BYTE* associated,
                            CK_ULONG associated_length) {
  return message<&list::C_EncryptMessageBegin>(session,
                                               operation::message_encrypt,
                                               parameter,
                                               parameter_length,
                                               associated,
                                               associated_length);
}
CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session,
                           void* parameter,
                           CK_ULONG parameter_length,
                           CK_BYTE* plain,
                           CK_ULONG plain_length,
                           CK_BYTE* cipher,
                           CK_ULONG* cipher_length,
                           CK_FLAGS flags) {
  return message<&list::C_EncryptMessageNext>(session,
                                              operation::message_encrypt,
                                              parameter,
                                              parameter_length,
                                              plain,
                                              plain_length,
                                              cipher,
                                              cipher_length,
                                              flags);
}
CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session) {
  return final<&list::C_MessageEncryptFinal>(session, operation::message_encrypt);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session,
                           CK_MECHANISM* mechanism,
                           CK_OBJECT_HANDLE key) {
  return init<&list::C_MessageDecryptInit>(session, operation::message_decrypt, mechanism, key);
}
CK_RV C_DecryptMessage(CK_SESSION_HANDLE session,
                       void* parameter,
                       CK_ULONG parameter_length,
                       CK_BYTE* associated,
                       CK_ULONG associated_length,
                       CK_BYTE* cipher,
                       CK_ULONG cipher_length,
                       CK_BYTE* plain,
                       CK_ULONG* plain_length) {
  return message<&list::C_DecryptMessage>(session,
                                          operation::message_decrypt,
                                          parameter,
                                          parameter_length,
                                          associated,
                                          associated_length,
                                          cipher,
                                          cipher_length,
                                          plain,
                                          plain_length);
}
CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session,
                            void* parameter,
                            CK_ULONG parameter_length,
                            CK_BYTE* associated,
                            CK_ULONG associated_length) {
  return message<&list::C_DecryptMessageBegin>(session,
                                               operation::message_decrypt,
                                               parameter,
                                               parameter_length,
                                               associated,
                                               associated_length);
}
CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session,
                           void* parameter,
                           CK_ULONG parameter_length,
                           CK_BYTE* cipher,
                           CK_ULONG cipher_length,
                           CK_BYTE* plain,
                           CK_ULONG* plain_length,
                           CK_FLAGS flags) {
  return message<&list::C_DecryptMessageNext>(session,
                                              operation::message_decrypt,
                                              parameter,
                                              parameter_length,
                                              cipher,
                                              cipher_length,
                                              plain,
                                              plain_length,
                                              flags);
}
CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session) {
  return final<&list::C_MessageDecryptFinal>(session, operation::message_decrypt);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return init<&list::C_MessageSignInit>(session, operation::message_sign, mechanism, key);
}
CK_RV C_SignMessage(CK_SESSION_HANDLE session,
                    void* parameter,
                    CK_ULONG parameter_length,
                    CK_BYTE* data,
                    CK_ULONG length,
                    CK_BYTE* signature,
                    CK_ULONG* signature_length) {
  return message<&list::C_SignMessage>(session,
                                       operation::message_sign,
                                       parameter,
                                       parameter_length,
                                       data,
                                       length,
                                       signature,
                                       signature_length);
}
CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_length) {
  return message<&list::C_SignMessageBegin>(
      session, operation::message_sign, parameter, parameter_length);
}
CK_RV C_SignMessageNext(CK_SESSION_HANDLE session,
                        void* parameter,
                        CK_ULONG parameter_length,
                        CK_BYTE* data,
                        CK_ULONG length,
                        CK_BYTE* signature,
                        CK_ULONG* signature_length) {
  return message<&list::C_SignMessageNext>(session,
                                           operation::message_sign,
                                           parameter,
                                           parameter_length,
                                           data,
                                           length,
                                           signature,
                                           signature_length);
}
CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session) {
  return final<&list::C_MessageSignFinal>(session, operation::message_sign);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session,
                          CK_MECHANISM* mechanism,
                          CK_OBJECT_HANDLE key) {
  return init<&list::C_MessageVerifyInit>(session, operation::message_verify, mechanism, key);
}
CK_RV C_VerifyMessage(CK_SESSION_HANDLE session,
                      void* parameter,
                      CK_ULONG parameter_length,
                      CK_BYTE* data,
                      CK_ULONG length,
                      CK_BYTE* signature,
                      CK_ULONG signature_length) {
  return message<&list::C_VerifyMessage>(session,
                                         operation::message_verify,
                                         parameter,
                                         parameter_length,
                                         data,
                                         length,
                                         signature,
                                         signature_length);
}
CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void* parameter, CK_ULONG parameter_length) {
  return message<&list::C_VerifyMessageBegin>(
      session, operation::message_verify, parameter, parameter_length);
}
CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session,
                          void* parameter,
                          CK_ULONG parameter_length,
                          CK_BYTE* data,
                          CK_ULONG length,
                          CK_BYTE* signature,
                          CK_ULONG signature_length) {
  return message<&list::C_VerifyMessageNext>(session,
                                             operation::message_verify,
                                             parameter,
                                             parameter_length,
                                             data,
                                             length,
                                             signature,
                                             signature_length);
}
CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session) {
  return final<&list::C_MessageVerifyFinal>(session, operation::message_verify);
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
