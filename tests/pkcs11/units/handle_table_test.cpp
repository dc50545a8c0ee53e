#include "core/pkcs11/front/handle_table.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace hsmtls::pkcs11 {
namespace {

// CK_ULONG has four bytes on armhf; here the numbers end after 255.
TEST(HandleTable, GivesOutNoNumberTwiceAfterAllWereUsed) {
  handle_table<int, uint8_t> table;
  const uint8_t kept = table.add(std::make_shared<int>(7));
  for (int i = 0; i < 1000; ++i) {
    const uint8_t handle = table.add(std::make_shared<int>(i));
    EXPECT_NE(0, handle) << "CK_INVALID_HANDLE";
    ASSERT_NE(kept, handle);
    ASSERT_NE(nullptr, table.find(handle)) << "handed out without anything behind it";
    EXPECT_EQ(i, *table.take(handle));
  }
  EXPECT_EQ(7, *table.find(kept));
}

}  // namespace
}  // namespace hsmtls::pkcs11
