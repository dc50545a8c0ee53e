// fail, fail-after, clear, counts.
#include "fixture.hpp"

namespace hsmtls::test {
namespace {

class Failures : public chaos_over_stub {};

TEST_F(Failures, LeaveAnUntouchedModuleAlone) {
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(signature, expected_signature());
}

TEST_F(Failures, FailsTheThirdSignWithTheGivenValue) {
  control.run("fail C_Sign 3 CKR_DEVICE_ERROR");
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(sign(), CKR_DEVICE_ERROR);
  // The vendor never saw that C_Sign, so its operation is still there.
  EXPECT_EQ(sign_init(), CKR_OPERATION_ACTIVE);
  EXPECT_EQ(sign_final_step(), CKR_OK);
}

TEST_F(Failures, FailsFromTheThirdSignOnUntilCleared) {
  control.run("fail C_SignInit 3.. CKR_KEY_HANDLE_INVALID");
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(sign(), CKR_OK);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sign(), CKR_KEY_HANDLE_INVALID);
  control.run("clear");
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Failures, FailsARangeOfCalls) {
  control.run("fail C_SignInit 2..3 0x80000042");
  EXPECT_EQ(sign(), CKR_OK);
  EXPECT_EQ(sign(), 0x80000042UL);
  EXPECT_EQ(sign(), 0x80000042UL);
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Failures, FailsEveryCallOfAnyFunction) {
  control.run("fail * * CKR_FUNCTION_FAILED");
  CK_INFO info;
  EXPECT_EQ(call->C_GetInfo(&info), CKR_FUNCTION_FAILED);
  EXPECT_EQ(sign(), CKR_FUNCTION_FAILED);
  CK_FUNCTION_LIST* list = nullptr;
  EXPECT_EQ(call->C_GetFunctionList(&list), CKR_OK);
  EXPECT_EQ(list, call);
}

TEST_F(Failures, ReturnsTheValueAfterTheVendorDidTheWork) {
  control.run("fail-after C_Sign 1 CKR_DEVICE_ERROR");
  EXPECT_EQ(sign(), CKR_DEVICE_ERROR);
  EXPECT_EQ(signature, expected_signature());
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Failures, LetsTheFirstOfTwoRulesWin) {
  control.run("fail C_SignInit 1 CKR_DEVICE_ERROR; fail C_SignInit 1..2 CKR_DEVICE_MEMORY");
  EXPECT_EQ(sign(), CKR_DEVICE_ERROR);
  EXPECT_EQ(sign(), CKR_DEVICE_MEMORY);
  EXPECT_EQ(sign(), CKR_OK);
}

}  // namespace
}  // namespace hsmtls::test
