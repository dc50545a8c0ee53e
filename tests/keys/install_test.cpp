// The provider inside the process: what else it changes (nothing).
#include <openssl/provider.h>
#include <openssl/rand.h>

#include "tests/keys/fixture.hpp"

namespace hsmtls::test {
namespace {

std::string provider_of(int operation, const char* algorithm) {
  const OSSL_PROVIDER* found = nullptr;
  if (operation == OSSL_OP_KEYMGMT) {
    EVP_KEYMGMT* const one = EVP_KEYMGMT_fetch(nullptr, algorithm, nullptr);
    found = one != nullptr ? EVP_KEYMGMT_get0_provider(one) : nullptr;
    EVP_KEYMGMT_free(one);
  } else {
    EVP_SIGNATURE* const one = EVP_SIGNATURE_fetch(nullptr, algorithm, nullptr);
    found = one != nullptr ? EVP_SIGNATURE_get0_provider(one) : nullptr;
    EVP_SIGNATURE_free(one);
  }
  return found != nullptr ? OSSL_PROVIDER_get0_name(found) : "none";
}

void expect_default_is_first() {
  for (const char* type : {"EC", "RSA", "ED25519"}) {
    EXPECT_EQ("default", provider_of(OSSL_OP_KEYMGMT, type)) << type;
  }
  for (const char* type : {"ECDSA", "RSA", "ED25519"}) {
    EXPECT_EQ("default", provider_of(OSSL_OP_SIGNATURE, type)) << type;
  }
  EXPECT_NE(nullptr, evp_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")))
      << openssl_errors();
  EXPECT_NE(nullptr, evp_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048})))
      << openssl_errors();
  uint8_t random[8];
  EXPECT_EQ(1, RAND_bytes(random, sizeof random));
}

TEST(InProcessProvider, InstalledBeforeAnythingElseComesBehindDefault) {
  ASSERT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
  expect_default_is_first();
  EXPECT_EQ("", openssl_errors());
}

TEST(InProcessProvider, InstalledAfterOpenSslWasUsedComesBehindDefault) {
  EXPECT_NE(nullptr, evp_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")));
  ASSERT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
  expect_default_is_first();
}

TEST(InProcessProvider, InstalledTwiceIsThereOnce) {
  ASSERT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
  ASSERT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
  int ours = 0;
  OSSL_PROVIDER_do_all(
      nullptr,
      [](OSSL_PROVIDER* one, void* count) {
        *static_cast<int*>(count) +=
            std::string(OSSL_PROVIDER_get0_name(one)) == "hsmtls-inproc" ? 1 : 0;
        return 1;
      },
      &ours);
  EXPECT_EQ(1, ours);
}

TEST(InProcessProvider, RefusesMandatoryDefaultPropertiesThatWouldHideIt) {
  ASSERT_EQ(1, EVP_set_default_properties(nullptr, "provider=default"));
  const answer said = asked(hsmtls_provider_install);
  EXPECT_EQ(said, HSMTLS_OPENSSL_UNUSABLE);
  EXPECT_THAT(said.message, testing::HasSubstr("default_properties"));
}

TEST(InProcessProvider, AcceptsDefaultPropertiesThatOnlyPrefer) {
  ASSERT_EQ(1, EVP_set_default_properties(nullptr, "?provider=default"));
  EXPECT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
  expect_default_is_first();
}

}  // namespace
}  // namespace hsmtls::test
