// Structs that begin with their size: callers that are older or newer than the library.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "tests/support/answer.hpp"
#include "tests/support/device.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

constexpr uint8_t untouched = 0xee;

// A struct as a newer caller has it: with fields behind that the library does not know.
template <class Struct>
struct newer {
  Struct known{};
  uint64_t unknown[2]{};

  newer() { known.struct_size = sizeof *this; }
};

class GrowingStructs : public testing::Test {
 protected:
  void SetUp() override {
    if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
    one.emplace();
    pin_source = one->pin_source();
    login.struct_size = sizeof login;
    login.pin_source = pin_source.c_str();
    options.struct_size = sizeof options;
    options.key = key.c_str();
    options.module = module.c_str();
    options.login = &login;
    options.flags = HSMTLS_OPEN_WITHOUT_CERTIFICATE;
  }
  void TearDown() override { hsmtls_identity_release(identity); }

  std::string open(const hsmtls_identity_options* with) {
    hsmtls_identity_release(std::exchange(identity, nullptr));
    return asked(hsmtls_identity_open, with, &identity).name();
  }

  // What `fill` writes into a struct whose size is said to be `size`, in a place that is larger.
  template <class Struct, class Fill>
  static std::vector<uint8_t> filled(Fill fill, uint32_t size) {
    alignas(Struct) uint8_t place[sizeof(Struct) + 32];
    std::fill(std::begin(place), std::end(place), untouched);
    std::memcpy(place, &size, sizeof size);
    const auto known = reinterpret_cast<Struct*>(place);
    EXPECT_EQ(called([&](auto out) { return fill(known, out); }), HSMTLS_OK);
    return {std::begin(place), std::end(place)};
  }
  static uint32_t size_said(const std::vector<uint8_t>& place) {
    uint32_t size = 0;
    std::memcpy(&size, place.data(), sizeof size);
    return size;
  }
  static bool untouched_from(const std::vector<uint8_t>& place, size_t from) {
    return std::all_of(place.begin() + static_cast<long>(from), place.end(), [](uint8_t byte) {
      return byte == untouched;
    });
  }

  std::optional<device> one;
  std::string key = device::uri("ec");
  std::string module = softhsm_module();
  std::string pin_source;
  hsmtls_login login{};
  hsmtls_identity_options options{};
  hsmtls_identity* identity = nullptr;
};

TEST_F(GrowingStructs, OfNoSizeAreAMistake) {
  options.struct_size = 0;
  EXPECT_EQ("BAD_ARGUMENT", open(&options));
  options.struct_size = sizeof options;
  login.struct_size = 3;
  EXPECT_EQ("BAD_ARGUMENT", open(&options));
  hsmtls_identity_info info{};
  login.struct_size = sizeof login;
  ASSERT_EQ("OK", open(&options));
  EXPECT_EQ(asked(hsmtls_identity_get_info, identity, &info), HSMTLS_BAD_ARGUMENT);
}

TEST_F(GrowingStructs, OfAnOlderCallerAreReadAsFarAsTheyGo) {
  // Behind what it has, an older caller's memory holds whatever it holds.
  options.struct_size = offsetof(hsmtls_identity_options, on_event);
  options.on_event = reinterpret_cast<hsmtls_event_fn>(&options);
  options.event_release = reinterpret_cast<hsmtls_release_fn>(&options);
  login.struct_size = offsetof(hsmtls_login, forget_pin);
  login.forget_pin = -1;
  EXPECT_EQ("OK", open(&options));
}

TEST_F(GrowingStructs, OfANewerCallerMayOnlyUseWhatIsKnown) {
  newer<hsmtls_identity_options> with;
  std::memcpy(&with.known, &options, sizeof options);
  with.known.struct_size = sizeof with;
  EXPECT_EQ("OK", open(&with.known)) << "the fields that are not known are zero";
  with.unknown[1] = 1;
  hsmtls_identity_release(std::exchange(identity, nullptr));
  const answer said = asked(hsmtls_identity_open, &with.known, &identity);
  EXPECT_EQ(said, HSMTLS_BAD_ARGUMENT);
  EXPECT_THAT(said.message, HasSubstr("options has a field"));
}

TEST_F(GrowingStructs, InsideOthersCountTheSame) {
  newer<hsmtls_login> with;
  std::memcpy(&with.known, &login, sizeof login);
  with.known.struct_size = sizeof with;
  options.login = &with.known;
  EXPECT_EQ("OK", open(&options));
  with.unknown[0] = 1;
  EXPECT_EQ("BAD_ARGUMENT", open(&options));
}

TEST_F(GrowingStructs, ThatAreFilledAreFilledAsFarAsTheyGo) {
  ASSERT_EQ("OK", open(&options));
  const auto info = [&](hsmtls_identity_info* to, hsmtls_error** out) {
    return hsmtls_identity_get_info(identity, to, out);
  };
  const uint32_t older = offsetof(hsmtls_identity_info, key_name);
  std::vector<uint8_t> place = filled<hsmtls_identity_info>(info, older);
  EXPECT_EQ(older, size_said(place));
  EXPECT_TRUE(untouched_from(place, older));
  place = filled<hsmtls_identity_info>(info, sizeof(hsmtls_identity_info) + 16);
  EXPECT_EQ(sizeof(hsmtls_identity_info), size_said(place)) << "how much of it is written";
  EXPECT_TRUE(untouched_from(place, sizeof(hsmtls_identity_info)));
}

TEST_F(GrowingStructs, FlagsThatAreNotKnownAreAMistake) {
  options.flags |= 1U << 31U;
  EXPECT_EQ("BAD_ARGUMENT", open(&options));
  options.flags = HSMTLS_OPEN_WITHOUT_CERTIFICATE;
  options.require = 1U << 31U;
  EXPECT_EQ("BAD_ARGUMENT", open(&options));
}

}  // namespace
}  // namespace hsmtls::test
