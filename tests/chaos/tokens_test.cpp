// remove-token, return-token, replace-key.
#include "fixture.hpp"

namespace hsmtls::test {
namespace {

using testing::ElementsAre;

class Tokens : public chaos_over_stub {
 protected:
  bool present(CK_SLOT_ID slot) {
    CK_SLOT_INFO info;
    EXPECT_EQ(call->C_GetSlotInfo(slot, &info), CKR_OK);
    return (info.flags & CKF_TOKEN_PRESENT) != 0;
  }

  std::string serial(CK_SLOT_ID slot) {
    CK_TOKEN_INFO info;
    EXPECT_EQ(call->C_GetTokenInfo(slot, &info), CKR_OK);
    return {reinterpret_cast<char*>(info.serialNumber), sizeof info.serialNumber};
  }
};

TEST_F(Tokens, AreAbsentAfterRemoval) {
  control.run("remove-token");
  CK_TOKEN_INFO info;
  CK_SESSION_HANDLE opened = 0;
  CK_ULONG count = 0;
  EXPECT_EQ(call->C_GetTokenInfo(0, &info), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(open_session(call, 1, &opened), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(call->C_GetMechanismList(0, nullptr, &count), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(call->C_CloseAllSessions(0), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(sign(), CKR_DEVICE_REMOVED);
  EXPECT_EQ(login(call, session, "1234"), CKR_DEVICE_REMOVED);
  EXPECT_FALSE(present(0));
  EXPECT_THAT(slots_of(call, CK_TRUE), ElementsAre());
  EXPECT_THAT(slots_of(call, CK_FALSE), ElementsAre(0, 1));
}

TEST_F(Tokens, AreRemovedOneByOne) {
  control.run("remove-token slot=1");
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_TRUE(present(0));
  EXPECT_FALSE(present(1));
  EXPECT_THAT(slots_of(call, CK_TRUE), ElementsAre(0));
  control.run("remove-token; return-token slot=1");
  EXPECT_THAT(slots_of(call, CK_TRUE), ElementsAre(1));
}

TEST_F(Tokens, ComeBackWithoutTheOldSessions) {
  control.run("remove-token; return-token");
  EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
  EXPECT_TRUE(present(0));
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Tokens, ComeBackWithAnotherSerial) {
  EXPECT_EQ(serial(0), "0001            ");
  control.run("remove-token slot=0; return-token slot=0 serial=4711");
  EXPECT_EQ(serial(0), "4711            ");
  EXPECT_EQ(serial(1), "0002            ");
  control.run("remove-token slot=0; return-token slot=0");
  EXPECT_EQ(serial(0), "0001            ");
}

TEST_F(Tokens, ComeBackOnlyAfterReinitialisationIfToldSo) {
  control.run("remove-token; return-token needs-reinit");
  CK_SESSION_HANDLE opened = 0;
  EXPECT_EQ(open_session(call, 0, &opened), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(sign(), CKR_DEVICE_REMOVED);
  EXPECT_EQ(call->C_Initialize(nullptr), CKR_CRYPTOKI_ALREADY_INITIALIZED);
  EXPECT_FALSE(present(0));
  EXPECT_EQ(call->C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(call->C_Initialize(nullptr), CKR_OK);
  EXPECT_TRUE(present(0));
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Tokens, AnnounceThatTheyComeAndGo) {
  CK_SLOT_ID slot = 99;
  EXPECT_EQ(call->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_NO_EVENT);
  control.run("remove-token slot=1");
  EXPECT_EQ(call->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_OK);
  EXPECT_EQ(slot, 1U);
  EXPECT_EQ(call->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_NO_EVENT);
  control.run("return-token slot=1");
  EXPECT_EQ(call->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_OK);
}

TEST_F(Tokens, HaveAnotherKeyOfTheSameNameAfterReplaceKey) {
  for (const CK_BYTE id : {1, 2, 3}) {
    const auto public_value = id == 2 ? CKA_MODULUS : CKA_EC_POINT;
    const auto before = read(call, session, find(call, session, CKO_PUBLIC_KEY, id), public_value);
    const auto label = read(call, session, find(call, session, CKO_PRIVATE_KEY, id), CKA_LABEL);
    control.run("replace-key 0" + std::to_string(id) + " pin=1234 slot=0");
    const CK_OBJECT_HANDLE now = find(call, session, CKO_PUBLIC_KEY, id);
    EXPECT_NE(read(call, session, now, public_value), before);
    const CK_OBJECT_HANDLE private_now = find(call, session, CKO_PRIVATE_KEY, id);
    EXPECT_EQ(read(call, session, private_now, CKA_LABEL), label);
  }
  const auto old_signature = expected_signature();
  EXPECT_EQ(sign(), CKR_KEY_HANDLE_INVALID);
  key = find(call, session, CKO_PRIVATE_KEY, 1);
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(signature, old_signature);
}

TEST_F(Tokens, ComeBackWithAnotherKeyOfTheSameName) {
  ASSERT_EQ(sign(), CKR_OK);
  const auto old_signature = signature;
  const auto old_point = read(call, session, find(call, session, CKO_PUBLIC_KEY, 1), CKA_EC_POINT);
  control.run("remove-token; replace-key 01 pin=1234 slot=0; return-token");
  EXPECT_EQ(sign(), CKR_SESSION_HANDLE_INVALID);
  EXPECT_EQ(serial(0), "0001            ") << "the same token otherwise";
  reopen();
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_NE(signature, old_signature);
  EXPECT_EQ(signature, expected_signature());
  EXPECT_NE(read(call, session, find(call, session, CKO_PUBLIC_KEY, 1), CKA_EC_POINT), old_point);
}

TEST_F(Tokens, KeepTheApplicationsLoginThroughReplaceKey) {
  control.run("replace-key 01 pin=1234");
  EXPECT_NE(find(call, session, CKO_PRIVATE_KEY, 1), 0U);
  EXPECT_EQ(call->C_Logout(session), CKR_OK);
  control.run("replace-key 01 pin=1234");
  EXPECT_EQ(find(call, session, CKO_PRIVATE_KEY, 1), 0U);
}

TEST_F(Tokens, RefuseToReplaceWhatIsNotThere) {
  EXPECT_THROW(control.run("replace-key 77 pin=1234"), std::invalid_argument);
  EXPECT_EQ(call->C_Logout(session), CKR_OK);
  EXPECT_THROW(control.run("replace-key 01 pin=9999"), std::invalid_argument);
  EXPECT_EQ(call->C_Finalize(nullptr), CKR_OK);
  EXPECT_THROW(control.run("replace-key 01 pin=1234"), std::invalid_argument);
}

}  // namespace
}  // namespace hsmtls::test
