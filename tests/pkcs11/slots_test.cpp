// Slot numbers: which token a number means.
#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {
namespace {

// A second token that says the same of itself, as clones and many software tokens do. Made before
// the module under test initialises the vendor.
class two_that_look_the_same : public over_stub {
 protected:
  two_that_look_the_same() : over_stub(std::chrono::milliseconds(500)) {
    const module_under_test vendor(HSMTLS_TEST_STUB_VENDOR);
    EXPECT_RV(CKR_OK, vendor->C_Initialize(nullptr));
    std::string label = "stub-a";
    label.resize(32, ' ');
    std::string pin = "so1234";
    EXPECT_RV(CKR_OK,
              vendor->C_InitToken(1,
                                  reinterpret_cast<CK_UTF8CHAR*>(pin.data()),
                                  pin.size(),
                                  reinterpret_cast<CK_UTF8CHAR*>(label.data())));
    EXPECT_RV(CKR_OK, vendor->C_Finalize(nullptr));
    trouble.run("remove-token slot=1");
  }
};

class Slots : public two_that_look_the_same {
 protected:
  client app{front};
};

TEST_F(Slots, OfATokenThatIsThereDoesNotMoveToOneThatLooksTheSame) {
  ASSERT_EQ(1U, app.slots().size());
  const CK_SESSION_HANDLE session = app.open(0);
  EXPECT_RV(CKR_OK, app.login(session, "1234"));
  const CK_OBJECT_HANDLE key = app.private_key(session, {1});
  ASSERT_RV(CKR_OK, app.sign(session, key, "data"_b));

  CK_SLOT_ID event = 99;
  trouble.run("return-token slot=1 serial=0001");
  ASSERT_RV(CKR_OK, app.p11.C_WaitForSlotEvent(CKF_DONT_BLOCK, &event, nullptr));
  EXPECT_NE(0U, event) << "slot 0 is where it was";
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b)) << "looked for in the other token";
}

}  // namespace
}  // namespace hsmtls::test
