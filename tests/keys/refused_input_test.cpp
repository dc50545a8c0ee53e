// What a caller gives wrongly is refused before the token is asked: some answer as if they were broken,
// and SoftHSM ends the process.
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <sys/mman.h>

#include "tests/keys/fixture.hpp"

namespace hsmtls::test {
namespace {

using bytes = std::vector<uint8_t>;
using pkey_ctx = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using testing::HasSubstr;

constexpr size_t modulus = 256;

struct digest_options {
  const EVP_MD* digest = nullptr;
  int padding = 0;
};

class RefusedInput : public keys_in_softhsm {
 protected:
  // EVP_PKEY_sign; empty if it is refused.
  static bytes sign(EVP_PKEY* key, const bytes& input, const digest_options& how = {}) {
    const pkey_ctx context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    EXPECT_EQ(1, EVP_PKEY_sign_init(context.get()));
    if (how.padding != 0) {
      EXPECT_LT(0, EVP_PKEY_CTX_set_rsa_padding(context.get(), how.padding));
    }
    if (how.digest != nullptr) {
      EXPECT_LT(0, EVP_PKEY_CTX_set_signature_md(context.get(), how.digest)) << openssl_errors();
    }
    bytes signature(1024);
    size_t length = signature.size();
    if (EVP_PKEY_sign(context.get(), signature.data(), &length, input.data(), input.size()) != 1)
      return {};
    signature.resize(length);
    return signature;
  }
  static bool verifies(EVP_PKEY* half,
                       const bytes& input,
                       const bytes& signature,
                       const digest_options& how) {
    const pkey_ctx context(EVP_PKEY_CTX_new_from_pkey(nullptr, half, nullptr));
    return EVP_PKEY_verify_init(context.get()) == 1 &&
           (how.padding == 0 || EVP_PKEY_CTX_set_rsa_padding(context.get(), how.padding) > 0) &&
           (how.digest == nullptr ||
            EVP_PKEY_CTX_set_signature_md(context.get(), how.digest) > 0) &&
           EVP_PKEY_verify(
               context.get(), signature.data(), signature.size(), input.data(), input.size()) == 1;
  }
};

TEST_F(RefusedInput, IsARawBlockThatIsNotANumberBelowTheModulus) {
  hsmtls_identity* const identity = open_key("rsa");
  const evp_key key = handed_key(identity);
  const evp_key hybrid = handed_key(identity, HSMTLS_KEY_HYBRID);
  RSA* const half = const_cast<RSA*>(EVP_PKEY_get0_RSA(hybrid.get()));
  const digest_options raw{.padding = RSA_NO_PADDING};
  bytes good(modulus, 0x5a);
  good[0] = 0;
  const uint64_t before = trouble().total();
  for (const bytes& bad : {bytes(modulus - 1, 1),
                           bytes(modulus + 1, 1),
                           bytes(modulus + 44, 1),
                           bytes(20, 1),
                           bytes(modulus, 0xff)}) {
    EXPECT_TRUE(sign(key.get(), bad, raw).empty()) << bad.size();
    EXPECT_THAT(openssl_errors(), HasSubstr("without padding"));
    bytes out(2 * modulus);
    EXPECT_EQ(-1,
              RSA_private_encrypt(
                  static_cast<int>(bad.size()), bad.data(), out.data(), half, RSA_NO_PADDING));
    EXPECT_THAT(openssl_errors(), HasSubstr("without padding"));
  }
  EXPECT_EQ(before, trouble().total());
  EXPECT_TRUE(verifies(public_half_of(key.get()).get(), good, sign(key.get(), good, raw), raw));
}

TEST_F(RefusedInput, IsADigestInfoThatIsTooLongForTheKey) {
  const evp_key key = handed_key(open_key("rsa"));
  const uint64_t before = trouble().total();
  EXPECT_TRUE(sign(key.get(), bytes(modulus - 10, 1)).empty());
  EXPECT_THAT(openssl_errors(), HasSubstr("too long for this RSA key"));
  EXPECT_EQ(before, trouble().total());
  EXPECT_FALSE(sign(key.get(), bytes(modulus - 11, 1)).empty()) << openssl_errors();
}

TEST_F(RefusedInput, IsADigestOfAnotherLengthThanItsAlgorithms) {
  const evp_key ec = handed_key(open_key("p256"));
  const evp_key rsa = handed_key(open_key("rsa"));
  const uint64_t before = trouble().total();
  for (EVP_PKEY* key : {ec.get(), rsa.get()}) {
    for (const size_t length : {20, 0, 33}) {
      EXPECT_TRUE(sign(key, bytes(length, 1), {EVP_sha256()}).empty()) << length;
      EXPECT_THAT(openssl_errors(), HasSubstr("not as long as its algorithm says"));
    }
  }
  EXPECT_EQ(before, trouble().total());
}

TEST_F(RefusedInput, IsNotTheBareDigestOfTls11) {
  const evp_key key = handed_key(open_key("rsa"));
  const digest_options how{EVP_md5_sha1(), RSA_PKCS1_PADDING};
  const bytes digest(36, 7);
  EXPECT_TRUE(verifies(public_half_of(key.get()).get(), digest, sign(key.get(), digest, how), how))
      << openssl_errors();
}

TEST_F(RefusedInput, IsADigestThatHasNoNameInDer) {
  const evp_key key = handed_key(open_key("rsa"));
  const std::unique_ptr<EVP_MD, freed_by<EVP_MD_free>> nameless(
      EVP_MD_fetch(nullptr, "KECCAK-KMAC-128", nullptr));
  if (!nameless) GTEST_SKIP() << "this OpenSSL has a name for every digest";
  const bytes digest(static_cast<size_t>(EVP_MD_get_size(nameless.get())), 7);
  EXPECT_TRUE(sign(key.get(), digest, {nameless.get(), RSA_PKCS1_PADDING}).empty());
  EXPECT_THAT(openssl_errors(), HasSubstr("KECCAK-KMAC-128"));
}

TEST_F(RefusedInput, IsAMessageThatNoTokenCanBeGiven) {
  const evp_key key = handed_key(open_key("ed25519"));
  // Four gigabytes and a little that nobody looks at.
  constexpr size_t length = (size_t{4} << 30U) + 32;
  void* const message =
      mmap(nullptr, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (message == MAP_FAILED) GTEST_SKIP() << "no room for an address range of 4 GiB";
  const std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  ASSERT_EQ(1, EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()));
  bytes signature(64);
  size_t room = signature.size();
  EXPECT_NE(
      1,
      EVP_DigestSign(
          context.get(), signature.data(), &room, static_cast<const uint8_t*>(message), length));
  EXPECT_THAT(openssl_errors(), HasSubstr("shorter than 4 GiB"));
  munmap(message, length);
}

TEST_F(RefusedInput, IsNoParameterThatNobodyReads) {
  const evp_key key = handed_key(open_key("p256"));
  const pkey_ctx context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  ASSERT_EQ(1, EVP_PKEY_sign_init(context.get()));
  const OSSL_PARAM* const settable = EVP_PKEY_CTX_settable_params(context.get());
  ASSERT_NE(nullptr, settable);
  EXPECT_NE(nullptr, OSSL_PARAM_locate_const(settable, OSSL_SIGNATURE_PARAM_DIGEST));
  EXPECT_EQ(nullptr, OSSL_PARAM_locate_const(settable, OSSL_SIGNATURE_PARAM_PROPERTIES));
}

}  // namespace
}  // namespace hsmtls::test
