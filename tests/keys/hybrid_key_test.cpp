// The calls that .NET 8, 9 and 10 and azure-iot-sdk-c make on a private key, replayed on each kind of
// key that we hand out (dotnet/runtime src/native/libs/System.Security.Cryptography.Native/pal_evp_pkey.c
// and pal_ecc_import_export.c; azure-c-shared-utility adapters/x509_openssl.c).
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include "tests/keys/fixture.hpp"

namespace hsmtls::test {
namespace {

using bytes = std::vector<uint8_t>;
using md_ctx = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;
using ssl_ctx = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;

const bytes message{'m', 'e', 's', 's', 'a', 'g', 'e'};

bytes sign(EVP_PKEY* key, int padding = RSA_PKCS1_PADDING) {
  const md_ctx context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  bytes signature(512);
  size_t length = signature.size();
  if (EVP_DigestSignInit(context.get(), &settings, EVP_sha256(), nullptr, key) != 1) return {};
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
      EVP_PKEY_CTX_set_rsa_padding(settings, padding) <= 0)
    return {};
  if (EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) != 1)
    return {};
  signature.resize(length);
  return signature;
}

bool verify(EVP_PKEY* key, const bytes& signature, int padding = RSA_PKCS1_PADDING) {
  const md_ctx context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  if (EVP_DigestVerifyInit(context.get(), &settings, EVP_sha256(), nullptr, key) != 1) return false;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
      EVP_PKEY_CTX_set_rsa_padding(settings, padding) <= 0)
    return false;
  return EVP_DigestVerify(
             context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
         1;
}

class HybridKeys : public keys_in_softhsm {
 protected:
  evp_key hybrid(const std::string& label) {
    return handed_key(open_key(label), HSMTLS_KEY_HYBRID);
  }
};

// .NET 8: RSAOpenSsl's constructor is EvpPKeyDuplicate.
evp_key dotnet8_rsa(EVP_PKEY* key) {
  const RSA* const half = EVP_PKEY_get0_RSA(key);
  evp_key made(EVP_PKEY_new());
  if (half == nullptr || EVP_PKEY_set1_RSA(made.get(), const_cast<RSA*>(half)) != 1) return nullptr;
  return made;
}

// .NET 8: ECDsaOpenSsl's constructor.
evp_key dotnet8_ec(EVP_PKEY* key) {
  EC_KEY* const half = EVP_PKEY_get1_EC_KEY(key);
  evp_key made(EVP_PKEY_new());
  const bool ok = half != nullptr && EVP_PKEY_set1_EC_KEY(made.get(), half) == 1;
  EC_KEY_free(half);
  return ok ? std::move(made) : nullptr;
}

// A method key by libp11 is the other kind that has a legacy half.
constexpr hsmtls_key_kind with_legacy_half[] = {HSMTLS_KEY_HYBRID, HSMTLS_KEY_METHOD};

TEST_F(HybridKeys, SignThroughDotnet8sCopyOfAnRsaKeyAsMethodKeysDo) {
  for (const hsmtls_key_kind kind : with_legacy_half) {
    const evp_key key = handed_key(open_key("rsa"), kind);
    const evp_key half = public_half_of(key.get());
    const evp_key copy = dotnet8_rsa(key.get());
    ASSERT_NE(nullptr, copy) << openssl_errors();
    EXPECT_TRUE(verify(half.get(), sign(copy.get()))) << openssl_errors();
    EXPECT_TRUE(verify(half.get(), sign(copy.get(), RSA_PKCS1_PSS_PADDING), RSA_PKCS1_PSS_PADDING))
        << openssl_errors();
  }
}

TEST_F(HybridKeys, SignThroughDotnet8sCopyOfAnEcKeyAsMethodKeysDo) {
  for (const hsmtls_key_kind kind : with_legacy_half) {
    for (const char* label : {"p256", "p384", "p521"}) {
      const evp_key key = handed_key(open_key(label), kind);
      const evp_key copy = dotnet8_ec(key.get());
      ASSERT_NE(nullptr, copy) << openssl_errors();
      EXPECT_TRUE(verify(public_half_of(key.get()).get(), sign(copy.get()))) << openssl_errors();
    }
  }
}

// .NET 9: RSA by an up-reference; EC's ExportParameters by EC_KEY, and its signature by ECDSA_sign.
TEST_F(HybridKeys, AnswerDotnet9sQuestionsAboutAnEcKey) {
  const evp_key key = hybrid("p256");
  EC_KEY* const half = EVP_PKEY_get1_EC_KEY(key.get());
  ASSERT_NE(nullptr, half) << openssl_errors();
  EXPECT_EQ(NID_X9_62_prime256v1, EC_GROUP_get_curve_name(EC_KEY_get0_group(half)));
  EXPECT_NE(nullptr, EC_KEY_get0_public_key(half));
  EXPECT_EQ(nullptr, EC_KEY_get0_private_key(half));
  bytes signature(static_cast<size_t>(ECDSA_size(half)));
  unsigned int length = 0;
  bytes digest(32);
  EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  EXPECT_EQ(1, ECDSA_sign(0, digest.data(), 32, signature.data(), &length, half))
      << openssl_errors();
  signature.resize(length);
  EXPECT_TRUE(verify(public_half_of(key.get()).get(), signature));
  EC_KEY_free(half);
}

TEST_F(HybridKeys, UseTheTokensOwnPssWhereTheHostUsesTheProviderHalf) {
  const evp_key key = hybrid("rsa");
  // A raw operation would be CKM_RSA_X_509; the token is told to have none for the next start.
  EXPECT_TRUE(verify(public_half_of(key.get()).get(),
                     sign(key.get(), RSA_PKCS1_PSS_PADDING),
                     RSA_PKCS1_PSS_PADDING))
      << openssl_errors();
  EXPECT_STREQ("RSA", EVP_PKEY_get0_type_name(key.get()));
  EXPECT_NE(nullptr, EVP_PKEY_get0_provider(key.get()));
}

// .NET 10: EvpPKeyGetEcGroupNid and EvpPKeyGetEcKeyParameters.
TEST_F(HybridKeys, AnswerDotnet10sQuestionsAboutAnEcKey) {
  for (const hsmtls_key_kind kind : {HSMTLS_KEY_HYBRID, HSMTLS_KEY_PROVIDER}) {
    const evp_key key = handed_key(open_key("p256"), kind);
    char group[64];
    size_t length = 0;
    ASSERT_EQ(1,
              EVP_PKEY_get_utf8_string_param(
                  key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &length));
    EXPECT_EQ(NID_X9_62_prime256v1, OBJ_txt2nid(group)) << group;
    for (const char* coordinate : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
      BIGNUM* number = nullptr;
      EXPECT_EQ(1, EVP_PKEY_get_bn_param(key.get(), coordinate, &number))
          << coordinate << openssl_errors();
      BN_free(number);
    }
  }
}

// .NET 9 and 10: ExportParameters(false) of an RSA key is i2d_PUBKEY.
TEST_F(HybridKeys, GiveTheirPublicHalfAsDer) {
  for (const char* label : {"rsa", "p256", "ed25519"}) {
    for (const hsmtls_key_kind kind : {HSMTLS_KEY_HYBRID, HSMTLS_KEY_PROVIDER}) {
      const evp_key key = handed_key(open_key(label), kind);
      uint8_t* der = nullptr;
      EXPECT_LT(0, i2d_PUBKEY(key.get(), &der)) << label << openssl_errors();
      OPENSSL_free(der);
    }
  }
}

// Why .NET 8 and azure-iot-sdk-c need another kind.
TEST_F(HybridKeys, AreNeededBecauseProviderKeysHaveNoLegacyHalf) {
  EXPECT_EQ(nullptr, dotnet8_rsa(handed_key(open_key("rsa")).get()));
  EXPECT_EQ(nullptr, dotnet8_ec(handed_key(open_key("p256")).get()));
  ERR_clear_error();
}

// azure-iot-sdk-c: x509_openssl_add_pem_file_key takes the RSA out of the key and sets that.
TEST_F(HybridKeys, GoIntoAnSslCtxAsAzureIotSdkCDoesItAsMethodKeysDo) {
  for (const hsmtls_key_kind kind : with_legacy_half) {
    const evp_key rsa = handed_key(open_key("rsa"), kind);
    const ssl_ctx context(SSL_CTX_new(TLS_method()));
    RSA* const half = EVP_PKEY_get1_RSA(rsa.get());
    ASSERT_NE(nullptr, half) << openssl_errors();
    EXPECT_EQ(1, SSL_CTX_use_RSAPrivateKey(context.get(), half)) << openssl_errors();
    RSA_free(half);
    EXPECT_EQ(1, SSL_CTX_use_PrivateKey(context.get(), handed_key(open_key("p256"), kind).get()))
        << openssl_errors();
  }
}

TEST_F(HybridKeys, OutliveTheEvpPkeyThatTheirLegacyHalfCameFrom) {
  evp_key copy;
  evp_key half;
  {
    const evp_key key = hybrid("rsa");
    half = public_half_of(key.get());
    copy = dotnet8_rsa(key.get());
  }
  EXPECT_TRUE(verify(half.get(), sign(copy.get()))) << openssl_errors();
}

TEST_F(HybridKeys, FailByNameOnceTheIdentityIsClosed) {
  hsmtls_identity* const identity = open_key("rsa");
  const evp_key key = handed_key(identity, HSMTLS_KEY_HYBRID);
  const evp_key copy = dotnet8_rsa(key.get());
  hsmtls_identity_close(identity);
  for (EVP_PKEY* one : {key.get(), copy.get()}) {
    EXPECT_TRUE(sign(one).empty());
    EXPECT_THAT(openssl_errors(), testing::HasSubstr("was closed"));
  }
}

TEST_F(HybridKeys, DoNotDecrypt) {
  const evp_key copy = dotnet8_rsa(hybrid("rsa").get());
  const bytes block(256, 1);
  bytes out(256);
  EXPECT_EQ(-1,
            RSA_private_decrypt(256,
                                block.data(),
                                out.data(),
                                const_cast<RSA*>(EVP_PKEY_get0_RSA(copy.get())),
                                RSA_PKCS1_PADDING));
  EXPECT_THAT(openssl_errors(), testing::HasSubstr("does not decrypt"));
}

TEST_F(HybridKeys, CostNoPkcs11CallToMake) {
  hsmtls_identity* const identity = open_key("rsa");
  const uint64_t before = trouble().total();
  handed_key(identity, HSMTLS_KEY_HYBRID);
  handed_key(identity, HSMTLS_KEY_PROVIDER);
  EXPECT_EQ(before, trouble().total());
}

class PrivateHalves : public keys_in_softhsm {};

// Each form in which OpenSSL 3 gives a private key away.
TEST_F(PrivateHalves, CannotBeExportedInAnyForm) {
  for (const char* label : {"p256", "rsa", "ed25519"}) {
    for (const hsmtls_key_kind kind : {HSMTLS_KEY_PROVIDER, HSMTLS_KEY_HYBRID}) {
      SCOPED_TRACE(std::string(label) + (kind == HSMTLS_KEY_HYBRID ? " hybrid" : " provider"));
      const evp_key key = handed_key(open_key(label), kind);
      BIO* const out = BIO_new(BIO_s_mem());
      EXPECT_NE(1, PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr));
      EXPECT_NE(
          1, PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr));
      EXPECT_NE(1,
                PEM_write_bio_PrivateKey_traditional(
                    out, key.get(), nullptr, nullptr, 0, nullptr, nullptr));
      EXPECT_GE(0, i2d_PrivateKey(key.get(), nullptr));
      PKCS8_PRIV_KEY_INFO* const info = EVP_PKEY2PKCS8(key.get());
      EXPECT_EQ(nullptr, info);
      PKCS8_PRIV_KEY_INFO_free(info);
      OSSL_PARAM* parameters = nullptr;
      EXPECT_NE(1, EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &parameters));
      OSSL_PARAM_free(parameters);
      BIGNUM* number = nullptr;
      EXPECT_NE(1, EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number));
      EXPECT_NE(1, EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_D, &number));
      bytes raw(64);
      size_t length = raw.size();
      EXPECT_NE(1, EVP_PKEY_get_raw_private_key(key.get(), raw.data(), &length));
      char* text = nullptr;
      EXPECT_EQ(0, BIO_get_mem_data(out, &text));
      BIO_free(out);
      ERR_clear_error();
    }
  }
}

TEST_F(PrivateHalves, AreNotDuplicatedIntoAnotherProvider) {
  const evp_key key = handed_key(open_key("p256"));
  const evp_key copy(EVP_PKEY_dup(key.get()));
  if (copy) {
    EXPECT_STREQ("hsmtls-inproc", OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(copy.get())));
    EXPECT_TRUE(verify(public_half_of(key.get()).get(), sign(copy.get())));
  }
}

}  // namespace
}  // namespace hsmtls::test
