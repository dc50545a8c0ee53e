// What is refused before a token is asked to make a key. What it makes: softhsm_private_test.cpp.
#include <gmock/gmock.h>

#include "tests/pkcs11/private/face.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

class PrivateGenerate : public private_over_stub {
 protected:
  answer generate(uint32_t kind, uint32_t bits) {
    private_key key;
    const answer got = face.generate("pkcs11:token=stub-a;object=rsa-" + std::to_string(bits),
                                     kind,
                                     bits,
                                     key,
                                     with_pin("1234"));
    EXPECT_EQ(got.code == HSMTLS_P11_OK, static_cast<bool>(key));
    return got;
  }
};

TEST_F(PrivateGenerate, RefusesAnRsaKeyThatIsTooSmallOrTooLarge) {
  for (const uint32_t bits : {0U, 1024U, 2040U, 2047U, 4097U, 4104U, 8192U, UINT32_MAX}) {
    const answer got = generate(HSMTLS_P11_GENERATE_RSA, bits);
    EXPECT_EQ(got, HSMTLS_P11_BAD_ARGUMENT) << bits;
    EXPECT_THAT(got.message, HasSubstr("2048 to 4096 bits"));
  }
  EXPECT_EQ(0U, trouble.total()) << "nobody asked the token";
}

TEST_F(PrivateGenerate, MakesRsaKeysOfBothLimits) {
  for (const uint32_t bits : {2048U, 4096U})
    EXPECT_EQ(generate(HSMTLS_P11_GENERATE_RSA, bits), HSMTLS_P11_OK) << bits;
  EXPECT_EQ(2U, trouble.count("C_GenerateKeyPair"));
}

TEST_F(PrivateGenerate, RefusesAnUnknownKindOfKey) {
  EXPECT_EQ(generate(99, 0), HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_EQ(0U, trouble.total()) << "nobody asked the token";
}

}  // namespace
}  // namespace hsmtls::test
