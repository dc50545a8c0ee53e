// Which values PKCS#11 lets a function return (v3.1 sections 5.1 and 5.4 to 5.20), as far as a
// correct application in a session that is open can see them.
#pragma once

#include <map>
#include <set>
#include <string_view>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::test {

// `may_return` tells whether `function` may answer `value`. CKR_SESSION_HANDLE_INVALID,
// CKR_SESSION_CLOSED and CKR_CRYPTOKI_NOT_INITIALIZED are no answers to an application whose
// session is open.
inline bool may_return(std::string_view function, CK_RV value) {
  using values = std::set<CK_RV>;
  // Sections 5.1.1 to 5.1.4: of any function, and of any that uses a token or a session.
  static const values any_function{CKR_OK, CKR_GENERAL_ERROR, CKR_HOST_MEMORY, CKR_FUNCTION_FAILED};
  static const values any_with_token{CKR_DEVICE_ERROR,
                                     CKR_DEVICE_MEMORY,
                                     CKR_DEVICE_REMOVED,
                                     CKR_TOKEN_NOT_PRESENT,
                                     CKR_FUNCTION_CANCELED};
  static const std::set<std::string_view> without_token{
      "C_Initialize", "C_Finalize", "C_GetInfo", "C_GetSlotList", "C_WaitForSlotEvent"};

  static const values cipher_init{CKR_KEY_FUNCTION_NOT_PERMITTED,
                                  CKR_KEY_HANDLE_INVALID,
                                  CKR_KEY_SIZE_RANGE,
                                  CKR_KEY_TYPE_INCONSISTENT,
                                  CKR_MECHANISM_INVALID,
                                  CKR_MECHANISM_PARAM_INVALID,
                                  CKR_OPERATION_ACTIVE,
                                  CKR_PIN_EXPIRED,
                                  CKR_USER_NOT_LOGGED_IN};
  static const values step{CKR_OPERATION_NOT_INITIALIZED,
                           CKR_BUFFER_TOO_SMALL,
                           CKR_DATA_LEN_RANGE,
                           CKR_USER_NOT_LOGGED_IN};
  static const values make{CKR_ATTRIBUTE_READ_ONLY,
                           CKR_ATTRIBUTE_TYPE_INVALID,
                           CKR_ATTRIBUTE_VALUE_INVALID,
                           CKR_PIN_EXPIRED,
                           CKR_SESSION_READ_ONLY,
                           CKR_TEMPLATE_INCOMPLETE,
                           CKR_TEMPLATE_INCONSISTENT,
                           CKR_TOKEN_WRITE_PROTECTED,
                           CKR_USER_NOT_LOGGED_IN};
  static const values about_object{CKR_OBJECT_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN};
  static const values about_key{CKR_KEY_HANDLE_INVALID,
                                CKR_WRAPPING_KEY_HANDLE_INVALID,
                                CKR_UNWRAPPING_KEY_HANDLE_INVALID,
                                CKR_USER_NOT_LOGGED_IN};
  static const values about_slot{CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_RECOGNIZED};
  static const values login{CKR_OPERATION_NOT_INITIALIZED,
                            CKR_PIN_INCORRECT,
                            CKR_PIN_LOCKED,
                            CKR_SESSION_READ_ONLY_EXISTS,
                            CKR_USER_ALREADY_LOGGED_IN,
                            CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
                            CKR_USER_PIN_NOT_INITIALIZED,
                            CKR_USER_TOO_MANY_TYPES,
                            CKR_USER_TYPE_INVALID};

  static const std::map<std::string_view, values> others{
      {"C_GetSlotList", {CKR_BUFFER_TOO_SMALL}},
      {"C_GetSlotInfo", about_slot},
      {"C_GetTokenInfo", about_slot},
      {"C_GetMechanismList", {CKR_BUFFER_TOO_SMALL, CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_RECOGNIZED}},
      {"C_GetMechanismInfo",
       {CKR_MECHANISM_INVALID, CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_RECOGNIZED}},
      {"C_WaitForSlotEvent", {CKR_NO_EVENT}},
      {"C_InitToken",
       {CKR_PIN_INCORRECT,
        CKR_PIN_LOCKED,
        CKR_SESSION_EXISTS,
        CKR_SLOT_ID_INVALID,
        CKR_TOKEN_NOT_RECOGNIZED,
        CKR_TOKEN_WRITE_PROTECTED}},
      {"C_InitPIN",
       {CKR_PIN_INVALID,
        CKR_PIN_LEN_RANGE,
        CKR_SESSION_READ_ONLY,
        CKR_TOKEN_WRITE_PROTECTED,
        CKR_USER_NOT_LOGGED_IN}},
      {"C_SetPIN",
       {CKR_PIN_INCORRECT,
        CKR_PIN_INVALID,
        CKR_PIN_LEN_RANGE,
        CKR_PIN_LOCKED,
        CKR_SESSION_READ_ONLY,
        CKR_TOKEN_WRITE_PROTECTED}},
      {"C_OpenSession",
       {CKR_SESSION_COUNT,
        CKR_SESSION_PARALLEL_NOT_SUPPORTED,
        CKR_SESSION_READ_WRITE_SO_EXISTS,
        CKR_SLOT_ID_INVALID,
        CKR_TOKEN_NOT_RECOGNIZED,
        CKR_TOKEN_WRITE_PROTECTED}},
      {"C_Login", login},
      {"C_LoginUser", login},
      {"C_Logout", {CKR_USER_NOT_LOGGED_IN}},
      {"C_SessionCancel", {CKR_OPERATION_CANCEL_FAILED}},
      {"C_GetOperationState",
       {CKR_BUFFER_TOO_SMALL, CKR_OPERATION_NOT_INITIALIZED, CKR_STATE_UNSAVEABLE}},
      {"C_SetOperationState",
       {CKR_KEY_CHANGED, CKR_KEY_NEEDED, CKR_KEY_NOT_NEEDED, CKR_SAVED_STATE_INVALID}},
      {"C_CreateObject", make},
      {"C_CopyObject", about_object},
      {"C_DestroyObject", about_object},
      {"C_GetObjectSize", about_object},
      {"C_GetAttributeValue",
       {CKR_ATTRIBUTE_SENSITIVE,
        CKR_ATTRIBUTE_TYPE_INVALID,
        CKR_BUFFER_TOO_SMALL,
        CKR_OBJECT_HANDLE_INVALID,
        CKR_USER_NOT_LOGGED_IN}},
      {"C_SetAttributeValue", about_object},
      {"C_FindObjectsInit",
       {CKR_ATTRIBUTE_TYPE_INVALID,
        CKR_ATTRIBUTE_VALUE_INVALID,
        CKR_OPERATION_ACTIVE,
        CKR_PIN_EXPIRED}},
      {"C_FindObjects", {CKR_OPERATION_NOT_INITIALIZED}},
      {"C_FindObjectsFinal", {CKR_OPERATION_NOT_INITIALIZED}},
      {"C_EncryptInit", cipher_init},
      {"C_DecryptInit", cipher_init},
      {"C_DigestInit", {CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_OPERATION_ACTIVE}},
      {"C_SignInit", cipher_init},
      {"C_SignRecoverInit", cipher_init},
      {"C_VerifyInit", cipher_init},
      {"C_VerifyRecoverInit", cipher_init},
      {"C_MessageEncryptInit", cipher_init},
      {"C_MessageDecryptInit", cipher_init},
      {"C_MessageSignInit", cipher_init},
      {"C_MessageVerifyInit", cipher_init},
      {"C_GenerateKey", make},
      {"C_GenerateKeyPair", make},
      {"C_WrapKey", about_key},
      {"C_UnwrapKey", about_key},
      {"C_DeriveKey", about_key},
      {"C_SeedRandom", {CKR_OPERATION_ACTIVE, CKR_RANDOM_NO_RNG, CKR_RANDOM_SEED_NOT_SUPPORTED}},
      {"C_GenerateRandom", {CKR_OPERATION_ACTIVE, CKR_RANDOM_NO_RNG}},
      {"C_CloseSession", {}},
      {"C_CloseAllSessions", {CKR_SLOT_ID_INVALID}},
      {"C_GetSessionInfo", {}},
      {"C_GetInfo", {}},
      {"C_Initialize", {CKR_CANT_LOCK, CKR_NEED_TO_CREATE_THREADS}},
      {"C_Finalize", {}},
  };

  if (any_function.contains(value)) return true;
  if (!without_token.contains(function) && any_with_token.contains(value)) return true;
  const auto own = others.find(function);
  // What is not in the table goes on with an operation: C_SignUpdate, C_DigestFinal,
  // C_EncryptMessage…
  return (own != others.end() ? own->second : step).contains(value);
}

}  // namespace hsmtls::test
