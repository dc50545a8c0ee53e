// The chaos module over the stub vendor, with a session to play on.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/chaos.hpp"
#include "tests/support/module.hpp"
#include "tests/support/stub_vendor/stub_signature.hpp"

namespace hsmtls::test {

inline CK_UTF8CHAR* utf8(std::string& text) {
  return reinterpret_cast<CK_UTF8CHAR*>(text.data());
}

inline std::vector<CK_SLOT_ID> slots_of(CK_FUNCTION_LIST* module, CK_BBOOL token_present) {
  CK_ULONG count = 0;
  EXPECT_EQ(module->C_GetSlotList(token_present, nullptr, &count), CKR_OK);
  std::vector<CK_SLOT_ID> slots(count);
  EXPECT_EQ(module->C_GetSlotList(token_present, slots.data(), &count), CKR_OK);
  slots.resize(count);
  return slots;
}

inline CK_RV open_session(CK_FUNCTION_LIST* module, CK_SLOT_ID slot, CK_SESSION_HANDLE* out) {
  return module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, out);
}

inline CK_RV login(CK_FUNCTION_LIST* module,
                   CK_SESSION_HANDLE session,
                   std::string pin,
                   CK_USER_TYPE user = CKU_USER) {
  return module->C_Login(session, user, utf8(pin), pin.size());
}

// `find` returns the first object of this class and ID, or 0.
inline CK_OBJECT_HANDLE find(CK_FUNCTION_LIST* module,
                             CK_SESSION_HANDLE session,
                             CK_OBJECT_CLASS kind,
                             CK_BYTE id) {
  CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &kind, sizeof kind}, {CKA_ID, &id, sizeof id}};
  CK_OBJECT_HANDLE found = 0;
  CK_ULONG count = 0;
  if (module->C_FindObjectsInit(session, wanted, 2) != CKR_OK) return 0;
  const CK_RV rv = module->C_FindObjects(session, &found, 1, &count);
  module->C_FindObjectsFinal(session);
  return rv == CKR_OK && count == 1 ? found : 0;
}

inline std::vector<CK_BYTE> read(CK_FUNCTION_LIST* module,
                                 CK_SESSION_HANDLE session,
                                 CK_OBJECT_HANDLE object,
                                 CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE asked = {type, nullptr, 0};
  if (module->C_GetAttributeValue(session, object, &asked, 1) != CKR_OK) return {};
  std::vector<CK_BYTE> value(asked.ulValueLen);
  asked.pValue = value.data();
  EXPECT_EQ(module->C_GetAttributeValue(session, object, &asked, 1), CKR_OK);
  return value;
}

class chaos_over_stub : public testing::Test {
 protected:
  explicit chaos_over_stub(const std::string& script = {})
      : module(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR, script)), call(module.functions()) {}

  void SetUp() override {
    ASSERT_EQ(call->C_Initialize(nullptr), CKR_OK);
    reopen();
    control.run("reset");
  }

  void reopen() {
    ASSERT_EQ(open_session(call, 0, &session), CKR_OK);
    const CK_RV rv = login(call, session, "1234");
    ASSERT_TRUE(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) << rv;
    key = find(call, session, CKO_PRIVATE_KEY, 1);
    ASSERT_NE(key, 0U);
  }

  CK_RV sign_init() {
    CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
    return call->C_SignInit(session, &ecdsa, key);
  }

  CK_RV sign_final_step() {
    signature.resize(64);
    CK_ULONG len = signature.size();
    return call->C_Sign(session, data.data(), data.size(), signature.data(), &len);
  }

  CK_RV sign() {
    const CK_RV rv = sign_init();
    return rv == CKR_OK ? sign_final_step() : rv;
  }

  // `expected_signature` is what the key of this ID on the session's token would sign now.
  std::vector<CK_BYTE> expected_signature(CK_BYTE id = 1) {
    const auto point = read(call, session, find(call, session, CKO_PUBLIC_KEY, id), CKA_EC_POINT);
    return stub::signature(
        stub::key_mark(point.data(), point.size()), CKM_ECDSA, data.data(), data.size());
  }

  module_under_test module;
  chaos control;
  CK_FUNCTION_LIST* call;
  CK_SESSION_HANDLE session = 0;
  CK_OBJECT_HANDLE key = 0;
  std::vector<CK_BYTE> data = std::vector<CK_BYTE>(32, 0xab);
  std::vector<CK_BYTE> signature;
};

}  // namespace hsmtls::test
