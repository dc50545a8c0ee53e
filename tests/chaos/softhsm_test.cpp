// The same commands over a real vendor.
#include <cstring>
#include <map>
#include <optional>

#include "fixture.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::test {
namespace {

class OverSoftHsm : public testing::Test {
 protected:
  void SetUp() override {
    if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
    token.emplace();
    token->generate_ec_p256("device", "01");
    token->generate_rsa_2048("rsa", "02");
    module.emplace(chaos::in_front_of(softhsm_module()));
    control.emplace();
    call = module->functions();
    ASSERT_EQ(call->C_Initialize(nullptr), CKR_OK);
    reopen();
  }

  void TearDown() override {
    if (call == nullptr) return;
    control->reset();
    call->C_Finalize(nullptr);
  }

  void reopen() {
    for (const CK_SLOT_ID each : slots_of(call, CK_TRUE)) {
      CK_TOKEN_INFO info;
      if (call->C_GetTokenInfo(each, &info) == CKR_OK &&
          (info.flags & CKF_TOKEN_INITIALIZED) != 0) {
        slot = each;
      }
    }
    ASSERT_EQ(open_session(call, slot, &session), CKR_OK);
    ASSERT_EQ(login(call, session, token->user_pin()), CKR_OK);
    key = find(call, session, CKO_PRIVATE_KEY, 1);
    ASSERT_NE(key, 0U);
  }

  CK_RV sign() {
    CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
    CK_BYTE digest[32] = {1, 2, 3};
    CK_BYTE signature[128];
    CK_ULONG len = sizeof signature;
    const CK_RV rv = call->C_SignInit(session, &ecdsa, key);
    return rv == CKR_OK ? call->C_Sign(session, digest, sizeof digest, signature, &len) : rv;
  }

  std::optional<softhsm_token> token;
  std::optional<module_under_test> module;
  std::optional<chaos> control;
  CK_FUNCTION_LIST* call = nullptr;
  CK_SLOT_ID slot = 0;
  CK_SESSION_HANDLE session = 0;
  CK_OBJECT_HANDLE key = 0;
};

TEST_F(OverSoftHsm, DropsSessions) {
  EXPECT_EQ(sign(), CKR_OK);
  control->run("drop-sessions");
  EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(OverSoftHsm, RemovesAndReturnsTheToken) {
  control->run("remove-token");
  EXPECT_EQ(sign(), CKR_DEVICE_REMOVED);
  EXPECT_EQ(open_session(call, slot, &session), CKR_TOKEN_NOT_PRESENT);
  control->run("return-token serial=other");
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
  CK_TOKEN_INFO info;
  ASSERT_EQ(call->C_GetTokenInfo(slot, &info), CKR_OK);
  EXPECT_EQ(std::memcmp(info.serialNumber, "other           ", 16), 0);
}

TEST_F(OverSoftHsm, ReplacesEcAndRsaKeys) {
  const std::map<CK_BYTE, CK_ATTRIBUTE_TYPE> public_values = {{1, CKA_EC_POINT}, {2, CKA_MODULUS}};
  for (const auto& [id, type] : public_values) {
    const auto before = read(call, session, find(call, session, CKO_PUBLIC_KEY, id), type);
    ASSERT_FALSE(before.empty());
    control->run("replace-key 0" + std::to_string(id) + " pin=" + token->user_pin());
    const auto after = read(call, session, find(call, session, CKO_PUBLIC_KEY, id), type);
    EXPECT_EQ(after.size(), before.size());
    EXPECT_NE(after, before);
  }
  EXPECT_NE(sign(), CKR_OK);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  EXPECT_EQ(sign(), CKR_OK);
  const std::string label = "device";
  EXPECT_EQ(read(call, session, key, CKA_LABEL), std::vector<CK_BYTE>(label.begin(), label.end()));
}

TEST_F(OverSoftHsm, OffersNoV3InterfaceThatTheVendorLacks) {
  // SoftHSM 2.6 is a v2.40 module; a later one may not be.
  const module_under_test vendor(softhsm_module());
  EXPECT_EQ(module->functions_3_0() == nullptr, vendor.functions_3_0() == nullptr);
}

TEST_F(OverSoftHsm, SeesAKeyThatAnotherProcessMade) {
  token->generate_ec_p256("late", "07");
  EXPECT_NE(find(call, session, CKO_PRIVATE_KEY, 7), 0U);
}

TEST_F(OverSoftHsm, NeedsReinitialisationAfterItsFolderWasAway) {
  token->move_away();
  EXPECT_NE(sign(), CKR_OK);
  token->move_back();
  EXPECT_NE(sign(), CKR_OK);
  EXPECT_EQ(call->C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(call->C_Initialize(nullptr), CKR_OK);
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
}

}  // namespace
}  // namespace hsmtls::test
