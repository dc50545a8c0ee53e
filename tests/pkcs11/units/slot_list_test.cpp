// A vendor's list of slots, from vendors that count wrongly.
#include "core/pkcs11/vendor/slot_list.hpp"

#include <gtest/gtest.h>

namespace hsmtls::pkcs11 {
namespace {

using slots = std::vector<CK_SLOT_ID>;

CK_FUNCTION_LIST vendor_with(CK_C_GetSlotList get) {
  CK_FUNCTION_LIST vendor{};
  vendor.C_GetSlotList = get;
  return vendor;
}

// Out of memory or an exception that leaves a vendor call would be the alternative.
TEST(SlotList, OfAnAbsurdLengthIsAnError) {
  const auto vendor = vendor_with([](CK_BBOOL, CK_SLOT_ID*, CK_ULONG* count) -> CK_RV {
    *count = ~CK_ULONG{0} / 8;
    return CKR_OK;
  });
  slots found{7};
  EXPECT_EQ(CK_RV{CKR_GENERAL_ERROR}, list_slots(vendor, false, found));
  EXPECT_EQ(slots{}, found);
}

TEST(SlotList, IsNoLongerThanTheRoomForIt) {
  const auto vendor = vendor_with([](CK_BBOOL, CK_SLOT_ID* out, CK_ULONG* count) -> CK_RV {
    *count = out == nullptr ? 1 : 1000;
    if (out != nullptr) out[0] = 42;
    return CKR_OK;
  });
  slots found;
  EXPECT_EQ(CK_RV{CKR_OK}, list_slots(vendor, true, found));
  EXPECT_EQ(slots{42}, found);
}

TEST(SlotList, IsAskedForAgainWhenATokenWasPluggedInBetween) {
  static int calls = 0;
  const auto vendor = vendor_with([](CK_BBOOL, CK_SLOT_ID* out, CK_ULONG* count) -> CK_RV {
    const bool second = ++calls == 2;
    *count = calls < 2 ? 1 : 2;
    if (out == nullptr) return CKR_OK;
    if (second) return CKR_BUFFER_TOO_SMALL;
    out[0] = 1;
    out[1] = 2;
    return CKR_OK;
  });
  slots found;
  EXPECT_EQ(CK_RV{CKR_OK}, list_slots(vendor, true, found));
  EXPECT_EQ((slots{1, 2}), found);
}

TEST(SlotList, IsNotAskedForForEver) {
  const auto vendor = vendor_with([](CK_BBOOL, CK_SLOT_ID* out, CK_ULONG* count) -> CK_RV {
    *count = 3;
    return out == nullptr ? CKR_OK : CKR_BUFFER_TOO_SMALL;
  });
  slots found;
  EXPECT_EQ(CK_RV{CKR_BUFFER_TOO_SMALL}, list_slots(vendor, true, found));
  EXPECT_EQ(slots{}, found);
}

TEST(SlotList, OfAVendorWithoutTheFunctionIsAnError) {
  slots found;
  EXPECT_EQ(CK_RV{CKR_FUNCTION_NOT_SUPPORTED}, list_slots(vendor_with(nullptr), true, found));
}

}  // namespace
}  // namespace hsmtls::pkcs11
