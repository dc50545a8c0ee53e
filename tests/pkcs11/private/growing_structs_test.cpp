// Structs that begin with their size: callers that are older or newer than the library.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "tests/pkcs11/private/face.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

constexpr uint8_t untouched = 0xee;

class PrivateGrowingStructs : public private_over_stub {
 protected:
  // `filled` lets the library fill a struct of `size` bytes and returns it, in a place that is
  // larger than any.
  template <class Struct, class Function>
  static bytes filled(Function fill, const hsmtls_p11_key* key, uint32_t size) {
    constexpr size_t place_size = sizeof(Struct) + 64;
    alignas(Struct) uint8_t place[place_size];
    std::fill(std::begin(place), std::end(place), untouched);
    std::memcpy(place + offsetof(Struct, struct_size), &size, sizeof size);
    fill(key, reinterpret_cast<Struct*>(place));
    return {place, place + place_size};
  }
  // Nothing from `size` on was written.
  static bool rest_is_untouched(const bytes& place, size_t size) {
    return std::all_of(place.begin() + static_cast<long>(size), place.end(), [](uint8_t one) {
      return one == untouched;
    });
  }

  answer open_with_size(uint32_t size, private_key* out = nullptr) {
    hsmtls_p11_login login = how.as_c();
    login.struct_size = size;
    hsmtls_p11_error error{};
    hsmtls_p11_key* key = nullptr;
    const int32_t code = face->key_open(device, &login, 0, &key, &error);
    EXPECT_EQ(code == HSMTLS_P11_OK, key != nullptr);
    private_key opened(face.get(), key);
    if (out != nullptr) *out = std::move(opened);
    return answer_of(code, error);
  }

  const login_options how = with_pin("1234");
};

TEST_F(PrivateGrowingStructs, ALoginWithoutItsSizeIsAMistake) {
  for (const uint32_t size :
       {uint32_t{0}, uint32_t{4}, uint32_t{offsetof(hsmtls_p11_login, insist)}}) {
    EXPECT_EQ(open_with_size(size), HSMTLS_P11_BAD_ARGUMENT) << size;
  }
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivateGrowingStructs, ALoginWithoutItsSizeIsAMistakeForEveryFunctionThatTakesOne) {
  const hsmtls_p11_login login{};
  const auto* f = face.get();
  const auto bad = [&](auto function, const auto&... arguments) {
    hsmtls_p11_error error{};
    EXPECT_EQ(HSMTLS_P11_BAD_ARGUMENT, function(arguments..., &error)) << error.message;
  };
  hsmtls_p11_key* out = nullptr;
  const uint8_t der[] = {0x30, 0x00};
  hsmtls_p11_certificate certificate{};
  certificate.value = certificate.subject = der;
  certificate.value_len = certificate.subject_len = sizeof der;
  std::vector<listed> shown;
  bad(f->list_objects, device, &login, collect, &shown);
  bad(f->key_generate, "pkcs11:token=stub-a;object=new", HSMTLS_P11_GENERATE_P256, 0, &login, &out);
  bad(f->certificate_import, "pkcs11:token=stub-a;object=new", &certificate, &login);
  bad(f->object_remove, device, &login);
  EXPECT_EQ(nullptr, out);
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivateGrowingStructs, ALoginOfAnOlderCallerNamesNoModuleWhateverComesAfterIt) {
  hsmtls_p11_login login = how.as_c();
  login.struct_size = offsetof(hsmtls_p11_login, module);
  login.module = "/nonexistent/module.so";
  hsmtls_p11_error error{};
  hsmtls_p11_key* opened = nullptr;
  const int32_t code = face->key_open(device, &login, 0, &opened, &error);
  EXPECT_EQ(answer_of(code, error), HSMTLS_P11_OK);
  const private_key key(face.get(), opened);
  expect_right_signature(key);
}

TEST_F(PrivateGrowingStructs, ALoginOfANewerCallerIsReadAsFarAsItIsKnown) {
  struct newer {
    hsmtls_p11_login known;
    uint64_t more[4];
  };
  newer login{how.as_c(), {1, 2, 3, 4}};
  login.known.struct_size = sizeof login;
  hsmtls_p11_error error{};
  hsmtls_p11_key* opened = nullptr;
  const int32_t code = face->key_open(device, &login.known, 0, &opened, &error);
  EXPECT_EQ(answer_of(code, error), HSMTLS_P11_OK);
  const private_key key(face.get(), opened);
  expect_right_signature(key);
}

TEST_F(PrivateGrowingStructs, CountersOfAnOlderCallerAreFilledOnlySoFar) {
  private_key key = open_device();
  expect_right_signature(key);
  trouble.run("drop-sessions");
  expect_right_signature(key);
  const hsmtls_p11_counters all = key.counters();
  EXPECT_EQ(1U, all.lost);
  EXPECT_EQ(2U, all.signatures);
  bytes whole(sizeof all);
  std::memcpy(whole.data(), &all, sizeof all);
  for (const size_t size : {offsetof(hsmtls_p11_counters, open_sessions),
                            offsetof(hsmtls_p11_counters, lost),
                            offsetof(hsmtls_p11_counters, rebuild_attempts),
                            offsetof(hsmtls_p11_counters, failed_signatures),
                            sizeof all,
                            sizeof all + 32}) {
    const bytes place =
        filled<hsmtls_p11_counters>(face->key_counters, key.get(), static_cast<uint32_t>(size));
    const size_t known = std::min(size, sizeof all);
    EXPECT_TRUE(rest_is_untouched(place, known)) << size;
    EXPECT_TRUE(std::equal(place.begin() + sizeof(uint32_t),
                           place.begin() + static_cast<long>(known),
                           whole.begin() + sizeof(uint32_t)))
        << size;
    uint32_t kept = 0;
    std::memcpy(&kept, place.data(), sizeof kept);
    EXPECT_EQ(size, kept) << "the caller's size stays";
  }
}

TEST_F(PrivateGrowingStructs, AKeysDescriptionForAnOlderCallerIsFilledOnlySoFar) {
  private_key key = open_device();
  const auto size = static_cast<uint32_t>(offsetof(hsmtls_p11_key_info, modulus));
  const bytes place = filled<hsmtls_p11_key_info>(face->key_info, key.get(), size);
  EXPECT_TRUE(rest_is_untouched(place, size));
  hsmtls_p11_key_info info{};
  std::memcpy(&info, place.data(), size);
  EXPECT_EQ(size, info.struct_size);
  EXPECT_EQ(uint32_t{HSMTLS_P11_EC}, info.type);
  EXPECT_STREQ("device", info.label);
  EXPECT_EQ(1U, info.id_len);
}

TEST_F(PrivateGrowingStructs, NothingIsWrittenWhereThereIsNoRoom) {
  private_key key = open_device();
  const bytes counters = filled<hsmtls_p11_counters>(face->key_counters, key.get(), 0);
  const bytes info = filled<hsmtls_p11_key_info>(face->key_info, key.get(), 0);
  for (const bytes& place : {counters, info})
    EXPECT_TRUE(rest_is_untouched(place, sizeof(uint32_t)));
}

TEST_F(PrivateGrowingStructs, CountersOfAKeyThatAChildHasNotUsedAreAllZeroAndCostNoCall) {
  private_key key = open_device();
  expect_right_signature(key);
  trouble.run("drop-sessions");
  expect_right_signature(key);
  child forked([&] {
    return expectations([&] {
      const auto before = trouble.total();
      const hsmtls_p11_counters all = key.counters();
      EXPECT_EQ(0U, all.open_sessions);
      EXPECT_EQ(0U, all.lost);
      EXPECT_EQ(0U, all.restored);
      EXPECT_EQ(0U, all.rebuild_attempts);
      EXPECT_EQ(0U, all.signatures);
      EXPECT_EQ(0U, all.failed_signatures);
      EXPECT_EQ(before, trouble.total());
      expect_right_signature(key);
      EXPECT_EQ(1U, key.counters().signatures) << "of this process";
      key.release();
    });
  });
  const ending ended = forked.wait();
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_EQ(2U, key.counters().signatures);
  EXPECT_EQ(1U, key.counters().lost);
}

}  // namespace
}  // namespace hsmtls::test
