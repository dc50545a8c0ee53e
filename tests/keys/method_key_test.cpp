// Keys by libp11: the fallback, and what the others are compared with.
#include <openssl/rsa.h>

#include "tests/keys/fixture.hpp"

namespace hsmtls::test {
namespace {

using md_ctx = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;

class MethodKeys : public keys_in_softhsm {
 protected:
  static bool signs(EVP_PKEY* key) {
    const md_ctx signing(EVP_MD_CTX_new());
    const md_ctx verifying(EVP_MD_CTX_new());
    uint8_t signature[512];
    size_t length = sizeof signature;
    return EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
           EVP_DigestSign(signing.get(), signature, &length, signature, 1) == 1 &&
           EVP_DigestVerifyInit(verifying.get(), nullptr, EVP_sha256(), nullptr, key) == 1;
  }
};

TEST_F(MethodKeys, AreTheSameKeyAsTheProviders) {
  for (const char* label : {"p256", "rsa"}) {
    hsmtls_identity* const identity = open_key(label);
    const evp_key method = handed_key(identity, HSMTLS_KEY_METHOD);
    const evp_key provider = handed_key(identity);
    EXPECT_EQ(1, EVP_PKEY_eq(method.get(), provider.get())) << label;
    EXPECT_EQ(nullptr, EVP_PKEY_get0_provider(method.get()));
    EXPECT_TRUE(signs(method.get())) << openssl_errors();
  }
}

TEST_F(MethodKeys, FailOnceTheIdentityIsClosed) {
  hsmtls_identity* const identity = open_key("p256");
  const evp_key key = handed_key(identity, HSMTLS_KEY_METHOD);
  hsmtls_identity_close(identity);
  EXPECT_FALSE(signs(key.get()));
  EVP_PKEY* none = nullptr;
  EXPECT_EQ(asked(hsmtls_identity_evp_pkey, identity, uint32_t{HSMTLS_KEY_METHOD}, &none),
            HSMTLS_IDENTITY_CLOSED);
}

TEST_F(MethodKeys, RefuseEd25519WhichLibp11DoesNotKnow) {
  EVP_PKEY* none = nullptr;
  const answer said =
      asked(hsmtls_identity_evp_pkey, open_key("ed25519"), uint32_t{HSMTLS_KEY_METHOD}, &none);
  EXPECT_EQ(said, HSMTLS_LEGACY_UNUSABLE);
  EXPECT_THAT(said.message, testing::HasSubstr("is neither; use a provider key"));
}

TEST_F(MethodKeys, SayWhichPackageIsMissing) {
  setenv("HSMTLS_LIBP11", "/nowhere/libp11.so.3", 1);
  EVP_PKEY* none = nullptr;
  const answer said =
      asked(hsmtls_identity_evp_pkey, open_key("p256"), uint32_t{HSMTLS_KEY_METHOD}, &none);
  EXPECT_EQ(said, HSMTLS_LEGACY_UNUSABLE);
  EXPECT_THAT(said.message, testing::HasSubstr("/nowhere/libp11.so.3"));
}

}  // namespace
}  // namespace hsmtls::test
