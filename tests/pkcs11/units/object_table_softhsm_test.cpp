// SoftHSM gives every object a new number whenever a session is the first.
#include "tests/pkcs11/units/lives.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::test {
namespace {

TEST(ObjectTableOverSoftHsm, KeepsItsHandlesAndItsSizeThroughThousandsOfLives) {
  if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
  const softhsm_token edge;
  edge.generate_ec_p256("device", "01");
  edge.generate_ec_p256("device", "02");
  edge.generate_ec_p256("other", "03");
  // Two public keys of one name, which their points tell apart.
  edge.generate_ec_p256("twin", "04");
  edge.generate_ec_p256("twin", "04");
  const auto vendor = vendor_in_use(softhsm_module());
  CK_SLOT_ID slot = 0;
  CK_ULONG count = 1;
  ASSERT_EQ(CK_RV{CKR_OK}, vendor->functions().C_GetSlotList(CK_TRUE, nullptr, &count));
  std::vector<CK_SLOT_ID> slots(count);
  ASSERT_EQ(CK_RV{CKR_OK}, vendor->functions().C_GetSlotList(CK_TRUE, slots.data(), &count));
  slot = slots.at(0);
  pkcs11::token token(*vendor, slot);
  pkcs11::object_table table;

  const auto first = life(token).adopt_all(table);
  ASSERT_EQ(5U, first.size());
  const std::set<CK_OBJECT_HANDLE> expected(first.begin(), first.end());
  const size_t size = table.size();
  for (int i = 0; i < 3000; ++i) {
    const auto now = life(token).adopt_all(table);
    ASSERT_EQ(expected, std::set<CK_OBJECT_HANDLE>(now.begin(), now.end())) << "life " << i;
  }
  EXPECT_EQ(size, table.size());
}

}  // namespace
}  // namespace hsmtls::test
