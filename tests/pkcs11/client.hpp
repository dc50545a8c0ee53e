// A PKCS#11 application in a few lines: what the tests of the token layer sign with.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/pkcs11/base/ck.hpp"
#include "tests/support/module.hpp"

namespace hsmtls::test {

using bytes = std::vector<uint8_t>;

inline bytes operator""_b(const char* text, size_t length) {
  return {text, text + length};
}

// A return value with its name, so that a failed expectation reads "CKR_DEVICE_REMOVED".
struct rv {
  CK_RV value;
  friend bool operator==(const rv&, const rv&) = default;
  friend std::ostream& operator<<(std::ostream& out, const rv& one) {
    return out << pkcs11::rv_name(one.value);
  }
};
#define EXPECT_RV(expected, expression) \
  EXPECT_EQ(::hsmtls::test::rv{expected}, ::hsmtls::test::rv{expression})
#define ASSERT_RV(expected, expression) \
  ASSERT_EQ(::hsmtls::test::rv{expected}, ::hsmtls::test::rv{expression})

// `client` is one application: initialises the module and finalises it.
class client {
 public:
  explicit client(const module_under_test& module) : p11(*module.functions()) {
    EXPECT_RV(CKR_OK, p11.C_Initialize(nullptr));
  }
  ~client() { EXPECT_RV(CKR_OK, p11.C_Finalize(nullptr)); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  [[nodiscard]] std::vector<CK_SLOT_ID> slots() const {
    CK_ULONG count = 0;
    EXPECT_RV(CKR_OK, p11.C_GetSlotList(CK_TRUE, nullptr, &count));
    std::vector<CK_SLOT_ID> all(count);
    EXPECT_RV(CKR_OK, p11.C_GetSlotList(CK_TRUE, all.data(), &count));
    all.resize(count);
    return all;
  }

  [[nodiscard]] CK_SLOT_ID slot(const std::string& label) const {
    for (const CK_SLOT_ID one : slots()) {
      CK_TOKEN_INFO info{};
      if (p11.C_GetTokenInfo(one, &info) == CKR_OK && pkcs11::unpadded(info.label) == label)
        return one;
    }
    ADD_FAILURE() << "no token '" << label << "'";
    return CK_UNAVAILABLE_INFORMATION;
  }

  [[nodiscard]] CK_SESSION_HANDLE open(CK_SLOT_ID slot, CK_FLAGS flags = 0) const {
    CK_SESSION_HANDLE session = 0;
    EXPECT_RV(CKR_OK,
              p11.C_OpenSession(slot, CKF_SERIAL_SESSION | flags, nullptr, nullptr, &session));
    return session;
  }

  CK_RV login(CK_SESSION_HANDLE session, std::string pin, CK_USER_TYPE user = CKU_USER) const {
    return p11.C_Login(session, user, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
  }

  // The objects of a class with this CKA_ID.
  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find(CK_SESSION_HANDLE session,
                                                   CK_OBJECT_CLASS object_class,
                                                   bytes id) const {
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                              {CKA_ID, id.data(), id.size()}};
    EXPECT_RV(CKR_OK, p11.C_FindObjectsInit(session, pattern, id.empty() ? 1 : 2));
    CK_OBJECT_HANDLE found[64];
    CK_ULONG count = 0;
    EXPECT_RV(CKR_OK, p11.C_FindObjects(session, found, 64, &count));
    EXPECT_RV(CKR_OK, p11.C_FindObjectsFinal(session));
    return {found, found + count};
  }

  [[nodiscard]] CK_OBJECT_HANDLE private_key(CK_SESSION_HANDLE session, bytes id) const {
    const auto found = find(session, CKO_PRIVATE_KEY, std::move(id));
    EXPECT_EQ(1U, found.size());
    return found.empty() ? 0 : found[0];
  }

  CK_RV sign(CK_SESSION_HANDLE session,
             CK_OBJECT_HANDLE key,
             bytes data,
             bytes* signature = nullptr,
             CK_MECHANISM_TYPE type = CKM_ECDSA) const {
    CK_MECHANISM mechanism{type, nullptr, 0};
    if (const CK_RV begun = p11.C_SignInit(session, &mechanism, key); begun != CKR_OK) return begun;
    bytes out(512);
    CK_ULONG length = out.size();
    const CK_RV signed_ = p11.C_Sign(session, data.data(), data.size(), out.data(), &length);
    if (signed_ == CKR_OK && signature != nullptr)
      signature->assign(out.begin(), out.begin() + static_cast<long>(length));
    return signed_;
  }

  [[nodiscard]] bytes attribute(CK_SESSION_HANDLE session,
                                CK_OBJECT_HANDLE object,
                                CK_ATTRIBUTE_TYPE type) const {
    CK_ATTRIBUTE one{type, nullptr, 0};
    EXPECT_RV(CKR_OK, p11.C_GetAttributeValue(session, object, &one, 1));
    bytes value(one.ulValueLen);
    one.pValue = value.data();
    EXPECT_RV(CKR_OK, p11.C_GetAttributeValue(session, object, &one, 1));
    return value;
  }

  const CK_FUNCTION_LIST& p11;
};

}  // namespace hsmtls::test
