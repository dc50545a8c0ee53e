// Signatures by token keys through EVP, verified by the public half in OpenSSL's own provider.
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "tests/keys/fixture.hpp"

namespace hsmtls::test {
namespace {

using bytes = std::vector<uint8_t>;

const bytes message{'m', 'e', 's', 's', 'a', 'g', 'e'};

// The same public key in OpenSSL's own provider.
using md_ctx = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;
using pkey_ctx = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;

struct scheme {
  const char* digest;
  int padding = 0;
  int salt = RSA_PSS_SALTLEN_DIGEST;
  const char* mgf1 = nullptr;
};

bool set_up(EVP_PKEY_CTX* context, const scheme& how) {
  if (how.padding == 0) return true;
  if (EVP_PKEY_CTX_set_rsa_padding(context, how.padding) <= 0) return false;
  if (how.padding != RSA_PKCS1_PSS_PADDING) return true;
  return EVP_PKEY_CTX_set_rsa_pss_saltlen(context, how.salt) > 0 &&
         (how.mgf1 == nullptr || EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, how.mgf1, nullptr) > 0);
}

bytes sign_message(EVP_PKEY* key, const scheme& how) {
  const md_ctx context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  if (EVP_DigestSignInit_ex(context.get(), &settings, how.digest, nullptr, nullptr, key, nullptr) !=
          1 ||
      !set_up(settings, how)) {
    return {};
  }
  size_t length = 0;
  if (EVP_DigestSign(context.get(), nullptr, &length, message.data(), message.size()) != 1)
    return {};
  bytes signature(length);
  if (EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) != 1)
    return {};
  signature.resize(length);
  return signature;
}

bool verify_message(EVP_PKEY* key, const scheme& how, const bytes& signature) {
  const md_ctx context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  return EVP_DigestVerifyInit_ex(
             context.get(), &settings, how.digest, nullptr, nullptr, key, nullptr) == 1 &&
         set_up(settings, how) &&
         EVP_DigestVerify(
             context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
             1;
}

class Signatures : public keys_in_softhsm {
 protected:
  void expect_signs(const std::string& label, const scheme& how) {
    SCOPED_TRACE(label + " " + (how.digest ? how.digest : "") + " padding " +
                 std::to_string(how.padding) + " salt " + std::to_string(how.salt));
    hsmtls_identity* const identity = open_key(label);
    const evp_key key = handed_key(identity);
    const evp_key half = public_half_of(key.get());
    const bytes signature = sign_message(key.get(), how);
    ASSERT_FALSE(signature.empty()) << openssl_errors();
    EXPECT_TRUE(verify_message(half.get(), how, signature))
        << "by OpenSSL's own: " << openssl_errors();
    EXPECT_TRUE(verify_message(key.get(), how, signature)) << "by our key: " << openssl_errors();
    bytes broken = signature;
    broken.back() ^= 1U;
    EXPECT_FALSE(verify_message(key.get(), how, broken));
    ERR_clear_error();
  }
};

TEST_F(Signatures, EcdsaOnEachCurveWithEachDigest) {
  for (const char* label : {"p256", "p384", "p521"}) {
    for (const char* digest : {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256"}) {
      expect_signs(label, {digest});
    }
  }
}

TEST_F(Signatures, OfOneContextAreOfOneMessageEach) {
  const evp_key key = handed_key(open_key("p256"));
  const md_ctx context(EVP_MD_CTX_new());
  ASSERT_EQ(1, EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()));
  for (int i = 0; i < 2; ++i) {
    bytes signature(128);
    size_t length = signature.size();
    ASSERT_EQ(
        1,
        EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()));
    signature.resize(length);
    EXPECT_TRUE(verify_message(public_half_of(key.get()).get(), {"SHA256"}, signature)) << i;
  }
}

TEST_F(Signatures, OfAMessageInParts) {
  const evp_key key = handed_key(open_key("p256"));
  const md_ctx context(EVP_MD_CTX_new());
  bytes signature(128);
  size_t length = signature.size();
  ASSERT_EQ(1, EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()));
  for (const uint8_t& part : message) ASSERT_EQ(1, EVP_DigestSignUpdate(context.get(), &part, 1));
  ASSERT_EQ(1, EVP_DigestSignFinal(context.get(), signature.data(), &length));
  signature.resize(length);
  EXPECT_TRUE(verify_message(public_half_of(key.get()).get(), {"SHA256"}, signature));
}

TEST_F(Signatures, Ed25519SignsWholeMessages) {
  expect_signs("ed25519", {nullptr});
}

TEST_F(Signatures, Ed25519RefusesADigest) {
  const evp_key key = handed_key(open_key("ed25519"));
  EXPECT_TRUE(sign_message(key.get(), {"SHA256"}).empty());
  EXPECT_THAT(openssl_errors(), testing::HasSubstr("signs messages, not digests"));
}

TEST_F(Signatures, RsaPkcs1WithEachDigest) {
  for (const char* digest : {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256"}) {
    expect_signs("rsa", {digest, RSA_PKCS1_PADDING});
  }
}

TEST_F(Signatures, RsaPssWithEachDigestAndSalt) {
  for (const char* digest : {"SHA1", "SHA256", "SHA384", "SHA512"}) {
    for (const int salt : {RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, 0, 20}) {
      expect_signs("rsa", {digest, RSA_PKCS1_PSS_PADDING, salt});
    }
  }
}

TEST_F(Signatures, RsaPssWithAnotherMgf1DigestIsPaddedHere) {
  expect_signs("rsa", {"SHA256", RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST, "SHA1"});
}

TEST_F(Signatures, RsaPssRefusesASaltThatDoesNotFit) {
  const evp_key key = handed_key(open_key("rsa"));
  EXPECT_TRUE(sign_message(key.get(), {"SHA256", RSA_PKCS1_PSS_PADDING, 1000}).empty());
  EXPECT_THAT(openssl_errors(), testing::HasSubstr("salt of 1000 bytes does not fit"));
}

TEST_F(Signatures, TwoPkcs11CallsEach) {
  hsmtls_identity* const ec = open_key("p256");
  hsmtls_identity* const rsa = open_key("rsa");
  const evp_key ec_key = handed_key(ec);
  const evp_key rsa_key = handed_key(rsa);
  const struct {
    EVP_PKEY* key;
    scheme how;
  } all[] = {{ec_key.get(), {"SHA256"}},
             {rsa_key.get(), {"SHA256", RSA_PKCS1_PADDING}},
             {rsa_key.get(), {"SHA256", RSA_PKCS1_PSS_PADDING}}};
  for (const auto& one : all) {
    const uint64_t before = trouble().total();
    ASSERT_FALSE(sign_message(one.key, one.how).empty());
    EXPECT_EQ(2U, trouble().total() - before);
  }
}

TEST_F(Signatures, ComeFromTheTokenAlsoAfterALegacyHalfWasMade) {
  hsmtls_identity* const identity = open_key("p256");
  ASSERT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
  const evp_key key = read_key(hsmtls_identity_key_pem(identity));
  ASSERT_NE(nullptr, EVP_PKEY_get0_EC_KEY(key.get())) << openssl_errors();
  const uint64_t before = trouble().total();
  EXPECT_TRUE(verify_message(key.get(), {"SHA256"}, sign_message(key.get(), {"SHA256"})));
  EXPECT_EQ(2U, trouble().total() - before);
}

TEST_F(Signatures, SoftwareKeysInTheSameProcessCostNoPkcs11Call) {
  open_key("p256");
  ASSERT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
  const uint64_t before = trouble().total();
  for (const char* type : {"EC", "RSA", "ED25519"}) {
    const pkey_ctx generator(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    ASSERT_EQ(1, EVP_PKEY_keygen_init(generator.get()));
    if (std::string(type) == "EC") {
      ASSERT_EQ(1, EVP_PKEY_CTX_set_group_name(generator.get(), "P-256"));
    }
    ASSERT_EQ(1, EVP_PKEY_generate(generator.get(), &made)) << openssl_errors();
    const evp_key key(made);
    EXPECT_STREQ("default", OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get())));
    const scheme how{std::string(type) == "ED25519" ? nullptr : "SHA256"};
    EXPECT_TRUE(verify_message(key.get(), how, sign_message(key.get(), how)));
  }
  EXPECT_EQ(before, trouble().total());
}

// Tokens in FIPS mode lack the raw operation; old ones lack PSS.
TEST_F(Signatures, AreNeverRawWhereTheTokenHasTheMechanism) {
  const evp_key key = handed_key(open_key("rsa"));
  trouble().run("fail C_SignInit 2.. CKR_MECHANISM_INVALID");
  EXPECT_FALSE(sign_message(key.get(), {"SHA256", RSA_PKCS1_PSS_PADDING}).empty())
      << openssl_errors();
}

TEST_F(Signatures, ArePaddedHereWhereTheTokenHasOnlyTheRawOperation) {
  for (const int padding : {RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING}) {
    hsmtls_identity* const identity = open_key("rsa");
    const evp_key key = handed_key(identity);
    const evp_key half = public_half_of(key.get());
    trouble().run("fail C_SignInit 1 CKR_MECHANISM_INVALID");
    const scheme how{"SHA256", padding};
    EXPECT_TRUE(verify_message(half.get(), how, sign_message(key.get(), how))) << openssl_errors();
    // The second time the token is not asked for what it lacks.
    const uint64_t before = trouble().total();
    EXPECT_TRUE(verify_message(half.get(), how, sign_message(key.get(), how))) << openssl_errors();
    EXPECT_EQ(2U, trouble().total() - before);
    EXPECT_EQ(nullptr, hsmtls_identity_last_error(identity)) << "nothing went wrong";
    trouble().run("clear");
  }
}

TEST_F(Signatures, SayWhatTheTokenSaid) {
  hsmtls_identity* const identity = open_key("p256");
  const evp_key key = handed_key(identity);
  trouble().run("fail C_Sign * CKR_DATA_INVALID");
  EXPECT_TRUE(sign_message(key.get(), {"SHA256"}).empty());
  EXPECT_THAT(openssl_errors(), testing::HasSubstr("CKR_DATA_INVALID"));
  hsmtls_error* const last = hsmtls_identity_last_error(identity);
  EXPECT_EQ(HSMTLS_TOKEN_ERROR, hsmtls_error_code_of(last));
  EXPECT_STREQ("CKR_DATA_INVALID", hsmtls_error_ckr_name(last));
  hsmtls_error_free(last);
}

TEST_F(Signatures, GoOnAfterTheTokenWasReset) {
  const evp_key key = handed_key(open_key("p256"));
  const evp_key half = public_half_of(key.get());
  trouble().run("drop-sessions");
  EXPECT_TRUE(verify_message(half.get(), {"SHA256"}, sign_message(key.get(), {"SHA256"})));
}

TEST_F(Signatures, ComeFromKeysWhoseParametersAreComparedByThemselves) {
  const evp_key one = handed_key(open_key("p256"));
  const evp_key other = handed_key(opened(source_of([&] {
                                     const std::string uri = "pkcs11:token=edge;object=other";
                                     EXPECT_EQ(generate(uri, HSMTLS_GENERATE_P256), HSMTLS_OK);
                                     return uri;
                                   }()))
                                       .get());
  const evp_key p384 = handed_key(open_key("p384"));
  EXPECT_EQ(0, EVP_PKEY_eq(one.get(), other.get()));
  EXPECT_EQ(1, EVP_PKEY_parameters_eq(one.get(), other.get()));
  EXPECT_EQ(0, EVP_PKEY_parameters_eq(one.get(), p384.get()));
}

TEST_F(Signatures, OfADigestAlone) {
  for (const char* label : {"p256", "rsa"}) {
    const evp_key key = handed_key(open_key(label));
    const evp_key half = public_half_of(key.get());
    const bytes digest(32, 7);
    const auto begin = [&](EVP_PKEY* with, auto init) {
      pkey_ctx context(EVP_PKEY_CTX_new_from_pkey(nullptr, with, nullptr));
      EXPECT_EQ(1, init(context.get())) << openssl_errors();
      EXPECT_LT(0, EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256())) << openssl_errors();
      return context;
    };
    bytes signature(512);
    size_t length = signature.size();
    ASSERT_EQ(1,
              EVP_PKEY_sign(begin(key.get(), EVP_PKEY_sign_init).get(),
                            signature.data(),
                            &length,
                            digest.data(),
                            digest.size()))
        << openssl_errors();
    for (EVP_PKEY* with : {key.get(), half.get()}) {
      EXPECT_EQ(1,
                EVP_PKEY_verify(begin(with, EVP_PKEY_verify_init).get(),
                                signature.data(),
                                length,
                                digest.data(),
                                digest.size()))
          << label << openssl_errors();
    }
  }
}

TEST_F(Signatures, InPiecesAndThroughACopyOfTheContext) {
  for (const char* label : {"p256", "rsa"}) {
    const evp_key key = handed_key(open_key(label));
    const evp_key half = public_half_of(key.get());
    const md_ctx context(EVP_MD_CTX_new());
    ASSERT_EQ(1,
              EVP_DigestSignInit_ex(
                  context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr));
    ASSERT_EQ(1, EVP_DigestSignUpdate(context.get(), message.data(), 3));
    const md_ctx copy(EVP_MD_CTX_new());
    ASSERT_EQ(1, EVP_MD_CTX_copy_ex(copy.get(), context.get())) << openssl_errors();
    for (EVP_MD_CTX* one : {context.get(), copy.get()}) {
      ASSERT_EQ(1, EVP_DigestSignUpdate(one, message.data() + 3, message.size() - 3));
      bytes signature(512);
      size_t length = signature.size();
      ASSERT_EQ(1, EVP_DigestSignFinal(one, signature.data(), &length)) << openssl_errors();
      signature.resize(length);
      EXPECT_TRUE(verify_message(half.get(), {"SHA256"}, signature));
    }
  }
}

// X509_sign and X509_REQ_sign ask the key for its algorithm's identifier.
TEST_F(Signatures, OfCertificatesNameTheirAlgorithm) {
  const struct {
    const char* label;
    const char* digest;
    int padding;
    int nid;
  } all[] = {{"p256", "SHA256", 0, NID_ecdsa_with_SHA256},
             {"p384", "SHA384", 0, NID_ecdsa_with_SHA384},
             {"rsa", "SHA256", RSA_PKCS1_PADDING, NID_sha256WithRSAEncryption},
             {"rsa", "SHA256", RSA_PKCS1_PSS_PADDING, NID_rsassaPss},
             {"ed25519", nullptr, 0, NID_ED25519}};
  for (const auto& one : all) {
    SCOPED_TRACE(std::string(one.label) + " " + std::to_string(one.padding));
    const evp_key key = handed_key(open_key(one.label));
    const std::unique_ptr<X509_REQ, freed_by<X509_REQ_free>> request(X509_REQ_new());
    ASSERT_EQ(1, X509_REQ_set_pubkey(request.get(), key.get())) << openssl_errors();
    const md_ctx context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    ASSERT_EQ(1,
              EVP_DigestSignInit_ex(
                  context.get(), &settings, one.digest, nullptr, nullptr, key.get(), nullptr));
    // No salt length: signature and identifier must agree all the same.
    if (one.padding != 0) {
      ASSERT_LT(0, EVP_PKEY_CTX_set_rsa_padding(settings, one.padding));
    }
    ASSERT_LT(0, X509_REQ_sign_ctx(request.get(), context.get())) << openssl_errors();
    EXPECT_EQ(one.nid, X509_REQ_get_signature_nid(request.get()));
    EXPECT_EQ(1, X509_REQ_verify(request.get(), public_half_of(key.get()).get()))
        << openssl_errors();
  }
}

}  // namespace
}  // namespace hsmtls::test
