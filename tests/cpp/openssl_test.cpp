// Identities in C++ for the OpenSSL of the program that includes openssl.hpp.
#include "hsmtls/openssl.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <vector>

#include "tests/support/device.hpp"

namespace hsmtls::test {
namespace {

using testing::StartsWith;

class CppOpenSsl : public testing::Test {
 protected:
  void SetUp() override {
    if (softhsm_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
    made.emplace();
  }
  [[nodiscard]] identity open(const std::string& key) const {
    identity_options options;
    options.key = device::uri(key);
    options.certificate = made->file(key + ".pem");
    options.module = softhsm_module();
    options.login.pin_source = made->pin_source();
    return identity::open(options);
  }

  std::optional<device> made;
};

using digest_context = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;

// Whether `key` signs what the public half in `certificate` verifies.
void expect_signs(EVP_PKEY* key, const std::string& certificate) {
  const std::string data = "what is to be signed";
  const auto* const bytes = reinterpret_cast<const unsigned char*>(data.data());
  const digest_context signing(EVP_MD_CTX_new());
  ASSERT_EQ(1, EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr, key));
  std::size_t length = 0;
  ASSERT_EQ(1, EVP_DigestSign(signing.get(), nullptr, &length, bytes, data.size()));
  std::vector<unsigned char> signature(length);
  ASSERT_EQ(1, EVP_DigestSign(signing.get(), signature.data(), &length, bytes, data.size()));

  const std::unique_ptr<BIO, freed_by<BIO_free>> text(
      BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
  const x509 leaf(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
  const digest_context verifying(EVP_MD_CTX_new());
  ASSERT_EQ(1,
            EVP_DigestVerifyInit(
                verifying.get(), nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(leaf.get())));
  EXPECT_EQ(1, EVP_DigestVerify(verifying.get(), signature.data(), length, bytes, data.size()));
}

TEST_F(CppOpenSsl, IsTheIncluders) {
  const identity one = open("ec");
  EXPECT_THAT(openssl_in_use(), StartsWith(OpenSSL_version(OPENSSL_VERSION)));
}

TEST_F(CppOpenSsl, TakesKeysOfTheProvider) {
  for (const char* name : {"ec", "rsa"}) {
    const identity one = open(name);
    const evp_pkey_ptr key = one.evp_pkey(key_kind::provider);
    ASSERT_TRUE(key);
    expect_signs(key.get(), one.certificate_pem());
  }
}

TEST_F(CppOpenSsl, TakesHybridKeys) {
  const identity one = open("rsa");
  const evp_pkey_ptr key = one.evp_pkey(key_kind::hybrid);
  ASSERT_TRUE(key);
  expect_signs(key.get(), one.certificate_pem());
}

TEST_F(CppOpenSsl, HasKeysThatOutliveTheIdentityAndSignNoMore) {
  identity one = open("ec");
  const evp_pkey_ptr key = one.evp_pkey(key_kind::provider);
  one.close();
  const digest_context signing(EVP_MD_CTX_new());
  std::size_t length = 256;
  unsigned char signature[256];
  EXPECT_EQ(1, EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr, key.get()));
  EXPECT_NE(1, EVP_DigestSign(signing.get(), signature, &length, signature, 1));
  EXPECT_EQ(errc::identity_closed, one.last_error().code());
}

TEST_F(CppOpenSsl, RefusesAKindThatIsNone) {
  diagnostics problem;
  EXPECT_FALSE(open("ec").evp_pkey(static_cast<key_kind>(77), problem));
  EXPECT_EQ(errc::bad_argument, problem.code());
}

TEST_F(CppOpenSsl, GetsNothingOfAnIdentityThatIsNone) {
  diagnostics problem;
  EXPECT_FALSE(identity().evp_pkey(key_kind::provider, problem));
  EXPECT_EQ(errc::bad_argument, problem.code());
}

}  // namespace
}  // namespace hsmtls::test
