// A vendor call out of which an exception comes is out all the same.
#include <new>
#include <optional>

#include "tests/pkcs11/units/lives.hpp"

namespace hsmtls::test {
namespace {

using namespace pkcs11;

time_point soon() {
  return steady::now() + milliseconds(20);
}

bool is_clear(gate& door) {
  auto held = door.hold();
  return door.drain(held, soon(), nullptr) && !door.any_stuck();
}

TEST(GateCall, IsStruckOffByAnExceptionThatPassesThrough) {
  gate door;
  const auto fail_inside = [&] {
    gate::call one;
    {
      const auto held = door.hold();
      door.enter(one);
    }
    throw std::bad_alloc();
  };
  EXPECT_THROW(fail_inside(), std::bad_alloc);
  EXPECT_TRUE(is_clear(door));
}

TEST(GateCall, IsStruckOffBetweenOthersThatStayInside) {
  gate door;
  std::optional<gate::call> calls[3];
  for (auto& one : calls) {
    one.emplace();
    const auto held = door.hold();
    door.enter(*one);
  }
  for (const int i : {1, 0}) {
    calls[i].reset();
    EXPECT_FALSE(is_clear(door)) << "others are inside";
  }
  calls[2].reset();
  EXPECT_TRUE(is_clear(door));
}

TEST(GateCall, ThatLeftIsNotStruckOffAgain) {
  gate door;
  gate::call stays;
  {
    gate::call leaves;
    const auto held = door.hold();
    door.enter(leaves);
    door.enter(stays);
    door.leave(leaves);
  }
  EXPECT_FALSE(is_clear(door));
  {
    const auto held = door.hold();
    door.leave(stays);
  }
  EXPECT_TRUE(is_clear(door));
}

TEST(GateCall, OfATokenIsStruckOffByAnExceptionThatPassesThrough) {
  const auto vendor = vendor_in_use(HSMTLS_TEST_STUB_VENDOR);
  token of(*vendor, 0);
  {
    life only(of);
    const auto fail = [](const CK_FUNCTION_LIST&, CK_SESSION_HANDLE) -> CK_RV {
      throw std::bad_alloc();
    };
    EXPECT_THROW(of.call(only.session, only.until, fail), std::bad_alloc);
    ASSERT_TRUE(is_clear(vendor->door()));
    EXPECT_THROW(of.call_once(only.session, only.until, fail), std::bad_alloc);
    EXPECT_TRUE(is_clear(vendor->door()));
  }
}

}  // namespace
}  // namespace hsmtls::test
