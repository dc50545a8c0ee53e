// The private face over SoftHSM: signatures that OpenSSL verifies, keys made in the token,
// certificates.
#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "tests/pkcs11/private/face.hpp"
#include "tests/support/openssl.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto user_pin = "zebra-pin-77";
constexpr auto so_pin = "giraffe-so-pin";
constexpr auto in_edge = "pkcs11:token=edge";

using evp_key_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using evp_digest_context = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;
using big_number = std::unique_ptr<BIGNUM, freed_by<BN_free>>;

evp_key from_params(const char* type, OSSL_PARAM_BLD* builder) {
  OSSL_PARAM* params = OSSL_PARAM_BLD_to_param(builder);
  const evp_key_context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(1, EVP_PKEY_fromdata_init(context.get()));
  EXPECT_EQ(1, EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params));
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(builder);
  return evp_key(made);
}

// What is in a DER OCTET STRING of less than 64 kB.
bytes octets(const uint8_t* der, uint32_t length) {
  EXPECT_EQ(0x04, der[0]);
  const uint32_t head = der[1] < 0x80 ? 2 : der[1] == 0x81 ? 3 : 4;
  return {der + head, der + length};
}

// The public key as OpenSSL has it.
evp_key public_key_of(const private_key& key) {
  const hsmtls_p11_key_info is = key.info();
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  if (is.type == HSMTLS_P11_RSA) {
    const big_number n(BN_bin2bn(is.modulus, static_cast<int>(is.modulus_len), nullptr));
    const big_number e(BN_bin2bn(is.exponent, static_cast<int>(is.exponent_len), nullptr));
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e.get());
    return from_params("RSA", builder);
  }
  const bytes point = octets(is.ec_point, is.ec_point_len);
  if (is.type == HSMTLS_P11_ED25519) {
    OSSL_PARAM_BLD_free(builder);
    return evp_key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, point.data(), point.size()));
  }
  const char* group = point.size() == 65 ? "P-256" : point.size() == 97 ? "P-384" : "P-521";
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return from_params("EC", builder);
}

bytes sha256(const bytes& data) {
  bytes out(32);
  SHA256(data.data(), data.size(), out.data());
  return out;
}

// r and s, as PKCS#11 has them, to DER, as OpenSSL has them.
bytes der_of(const bytes& signature) {
  const auto half = static_cast<int>(signature.size() / 2);
  const std::unique_ptr<ECDSA_SIG, freed_by<ECDSA_SIG_free>> both(ECDSA_SIG_new());
  ECDSA_SIG_set0(both.get(),
                 BN_bin2bn(signature.data(), half, nullptr),
                 BN_bin2bn(signature.data() + half, half, nullptr));
  unsigned char* out = nullptr;
  const int length = i2d_ECDSA_SIG(both.get(), &out);
  bytes der(out, out + length);
  OPENSSL_free(out);
  return der;
}

bool verifies(const private_key& key,
              const bytes& message,
              const bytes& signature,
              const hsmtls_p11_signature_spec& spec) {
  const evp_key with = public_key_of(key);
  if (with == nullptr) return false;
  if (spec.mechanism == HSMTLS_P11_SIGN_EDDSA) {
    const evp_digest_context context(EVP_MD_CTX_new());
    EXPECT_EQ(1, EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, with.get()));
    return EVP_DigestVerify(
               context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
           1;
  }
  const evp_key_context context(EVP_PKEY_CTX_new(with.get(), nullptr));
  EXPECT_EQ(1, EVP_PKEY_verify_init(context.get()));
  if (spec.mechanism == HSMTLS_P11_SIGN_RSA_PKCS1)
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING);
  if (spec.mechanism == HSMTLS_P11_SIGN_RSA_PSS) {
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), static_cast<int>(spec.salt_len));
  }
  EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256());
  const bytes digest = sha256(message);
  const bytes as_openssl = spec.mechanism == HSMTLS_P11_SIGN_ECDSA ? der_of(signature) : signature;
  return EVP_PKEY_verify(
             context.get(), as_openssl.data(), as_openssl.size(), digest.data(), digest.size()) ==
         1;
}

class PrivateSoftHsm : public testing::Test {
 protected:
  PrivateSoftHsm()
      : token({"edge", user_pin, so_pin}),
        front(load_front(chaos::in_front_of(softhsm_module()), std::chrono::seconds(10))),
        face(front) {
    secrets() = {user_pin, so_pin, "another-zebra"};
  }
  void TearDown() override { expect_no_secret(log.text()); }

  const bytes message = "what is signed"_b;
  const hsmtls_p11_signature_spec pkcs1{HSMTLS_P11_SIGN_RSA_PKCS1, 0, 0};
  const hsmtls_p11_signature_spec pss{HSMTLS_P11_SIGN_RSA_PSS, 256, 32};
  const hsmtls_p11_signature_spec eddsa{HSMTLS_P11_SIGN_EDDSA, 0, 0};

  private_key generated(const std::string& name, uint32_t kind, uint32_t bits = 0) {
    private_key key;
    EXPECT_EQ(face.generate(
                  std::string(in_edge) + ";object=" + name, kind, bits, key, with_pin(user_pin)),
              HSMTLS_P11_OK);
    return key;
  }
  void expect_signs(const private_key& key, const hsmtls_p11_signature_spec& spec = ecdsa) {
    bytes given = sha256(message);
    if (spec.mechanism == HSMTLS_P11_SIGN_EDDSA) given = message;
    if (spec.mechanism ==
        HSMTLS_P11_SIGN_RSA_PKCS1) {  // RFC 8017 section 9.2: the DigestInfo of SHA-256
      bytes info{0x30,
                 0x31,
                 0x30,
                 0x0d,
                 0x06,
                 0x09,
                 0x60,
                 0x86,
                 0x48,
                 0x01,
                 0x65,
                 0x03,
                 0x04,
                 0x02,
                 0x01,
                 0x05,
                 0x00,
                 0x04,
                 0x20};
      info.insert(info.end(), given.begin(), given.end());
      given = info;
    }
    bytes signature;
    ASSERT_EQ(key.sign(given, &signature, spec), HSMTLS_P11_OK);
    EXPECT_TRUE(verifies(key, message, signature, spec));
  }
  static void expect_made_in_the_token(const private_key& key) {
    EXPECT_EQ(HSMTLS_P11_LOCAL | HSMTLS_P11_ALWAYS_SENSITIVE | HSMTLS_P11_NEVER_EXTRACTABLE,
              key.info().flags);
    EXPECT_EQ(20U, key.info().id_len);
  }

  log_file log;
  softhsm_token token;
  module_under_test front;
  private_face face;
  chaos trouble;
};

TEST_F(PrivateSoftHsm, MakesEllipticCurveKeysThatSign) {
  for (const auto& [name, kind, size] : {std::tuple{"p256", HSMTLS_P11_GENERATE_P256, 65U},
                                         {"p384", HSMTLS_P11_GENERATE_P384, 97U},
                                         {"p521", HSMTLS_P11_GENERATE_P521, 133U}}) {
    const private_key key = generated(name, kind);
    ASSERT_TRUE(key);
    EXPECT_STREQ(name, key.info().label);
    EXPECT_EQ(size, octets(key.info().ec_point, key.info().ec_point_len).size());
    expect_made_in_the_token(key);
    expect_signs(key);
  }
}

TEST_F(PrivateSoftHsm, MakesRsaKeysThatSign) {
  for (const uint32_t bits : {2048U, 3072U, 4096U}) {
    const private_key key = generated("rsa-" + std::to_string(bits), HSMTLS_P11_GENERATE_RSA, bits);
    ASSERT_TRUE(key);
    EXPECT_EQ(bits / 8, key.info().modulus_len);
    expect_made_in_the_token(key);
    expect_signs(key, pkcs1);
    expect_signs(key, pss);
  }
}

TEST_F(PrivateSoftHsm, MakesEd25519KeysWhereTheyAreOffered) {
#ifdef __SANITIZE_ADDRESS__
  // SoftHSM 2.6.1 leaks the name of the curve, in libcrypto's memory, each time it reads it.
  const __lsan::ScopedDisabler not_ours;
#endif
  private_key key;
  const answer got = face.generate(
      "pkcs11:token=edge;object=ed", HSMTLS_P11_GENERATE_ED25519, 0, key, with_pin(user_pin));
  if (got == HSMTLS_P11_UNSUPPORTED) GTEST_SKIP() << "this SoftHSM has no Ed25519";
  ASSERT_EQ(got, HSMTLS_P11_OK);
  EXPECT_EQ(uint32_t{HSMTLS_P11_ED25519}, key.info().type);
  expect_made_in_the_token(key);
  expect_signs(key, eddsa);
}

TEST_F(PrivateSoftHsm, OpensTheKeyItMadeByTheUriItTells) {
  std::string uri;
  bytes point;
  {
    const private_key key = generated("a%2Fb%20c", HSMTLS_P11_GENERATE_P256);
    uri = key.info().uri;
    point = key.point();
    EXPECT_STREQ("a/b c", key.info().label);
  }
  EXPECT_THAT(uri, Not(HasSubstr("pin")));
  private_key again;
  ASSERT_EQ(face.open(uri, again, with_pin(user_pin)), HSMTLS_P11_OK);
  EXPECT_EQ(point, again.point());
  expect_signs(again);
}

TEST_F(PrivateSoftHsm, MakesAKeyWithTheIdThatTheUriNames) {
  private_key key;
  ASSERT_EQ(face.generate(std::string("pkcs11:token=edge;object=x;id=%12%34?pin-value=") + user_pin,
                          HSMTLS_P11_GENERATE_P256,
                          0,
                          key),
            HSMTLS_P11_OK);
  EXPECT_EQ((bytes{0x12, 0x34}), bytes(key.info().id, key.info().id + key.info().id_len));
  EXPECT_THAT(std::string(key.info().uri), Not(HasSubstr(user_pin)));
  expect_signs(key);
}

TEST_F(PrivateSoftHsm, MakesNoSecondKeyOfOneName) {
  private_key key;
  ASSERT_EQ(face.generate("pkcs11:token=edge;object=x;id=%01",
                          HSMTLS_P11_GENERATE_P256,
                          0,
                          key,
                          with_pin(user_pin)),
            HSMTLS_P11_OK);
  private_key none;
  answer got = face.generate(
      "pkcs11:token=edge;object=x;id=%02", HSMTLS_P11_GENERATE_P256, 0, none, with_pin(user_pin));
  EXPECT_EQ(got, HSMTLS_P11_EXISTS);
  EXPECT_THAT(got.message, HasSubstr("label"));
  got = face.generate(
      "pkcs11:token=edge;object=y;id=%01", HSMTLS_P11_GENERATE_P256, 0, none, with_pin(user_pin));
  EXPECT_EQ(got, HSMTLS_P11_EXISTS);
  EXPECT_THAT(got.message, HasSubstr("id"));
  EXPECT_FALSE(none);
}

TEST_F(PrivateSoftHsm, VerifiesAfterAReset) {
  const private_key key = generated("device", HSMTLS_P11_GENERATE_P256);
  const private_key rsa = generated("rsa", HSMTLS_P11_GENERATE_RSA, 2048);
  for (int i = 0; i < 5; ++i) {
    expect_signs(key);
    trouble.run("drop-sessions");
    expect_signs(rsa, pss);
    trouble.run("drop-sessions-at C_Sign 1");
    expect_signs(key);
  }
}

TEST_F(PrivateSoftHsm, SignsAgainAfterItsFolderWasMovedAwayAndBack) {
  const private_key key = generated("device", HSMTLS_P11_GENERATE_P256);
  expect_signs(key);
  token.move_away();
  EXPECT_EQ(key.sign(sha256(message), nullptr, ecdsa, 300), HSMTLS_P11_TOKEN_LOST);
  token.move_back();
  expect_signs(key);
}

TEST_F(PrivateSoftHsm, CompletesAsynchronousSignaturesThatVerify) {
  const private_key key = generated("device", HSMTLS_P11_GENERATE_P256);
  completions all;
  for (int i = 0; i < 50; ++i) ASSERT_EQ(key.sign_async(all, sha256(message)), HSMTLS_P11_OK);
  ASSERT_TRUE(all.wait_for(50));
  for (const auto& [number, one] : all.all()) {
    ASSERT_EQ(HSMTLS_P11_OK, one.code) << one.message;
    EXPECT_TRUE(verifies(key, message, one.signature, ecdsa));
  }
}

TEST_F(PrivateSoftHsm, SendsAWrongPinOnce) {
  generated("device", HSMTLS_P11_GENERATE_P256);
  const auto logins = trouble.count("C_Login");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(face.try_open("pkcs11:token=edge;object=device", with_pin("another-zebra")),
              HSMTLS_P11_PIN_INCORRECT);
  }
  EXPECT_EQ(logins + 1, trouble.count("C_Login"));
}

TEST_F(PrivateSoftHsm, ChangesThePin) {
  generated("device", HSMTLS_P11_GENERATE_P256);
  ASSERT_EQ(face.change_pin(in_edge, user_pin, "another-zebra"), HSMTLS_P11_OK);
  EXPECT_EQ(face.try_open("pkcs11:token=edge;object=device", with_pin(user_pin)),
            HSMTLS_P11_PIN_INCORRECT);
  private_key key;
  ASSERT_EQ(face.open("pkcs11:token=edge;object=device", key, with_pin("another-zebra")),
            HSMTLS_P11_OK);
  expect_signs(key);
}

TEST_F(PrivateSoftHsm, InitialisesAnEmptySlotByItsNumber) {
  std::optional<uint64_t> empty;
  hsmtls_p11_error error{};
  const int32_t code = face->list_tokens(
      [](void* user, const hsmtls_p11_token_info* one) {
        if ((one->flags & CKF_TOKEN_INITIALIZED) == 0)
          *static_cast<std::optional<uint64_t>*>(user) = one->slot_id;
      },
      &empty,
      &error);
  ASSERT_EQ(answer_of(code, error), HSMTLS_P11_OK);
  ASSERT_TRUE(empty) << "SoftHSM always shows a token that is not initialised";
  ASSERT_EQ(
      face.initialise("pkcs11:slot-id=" + std::to_string(*empty), "fresh", so_pin, "another-zebra"),
      HSMTLS_P11_OK);
  private_key key;
  ASSERT_EQ(face.generate("pkcs11:token=fresh;object=device",
                          HSMTLS_P11_GENERATE_P256,
                          0,
                          key,
                          with_pin("another-zebra")),
            HSMTLS_P11_OK);
  expect_signs(key);
}

TEST_F(PrivateSoftHsm, ErasesATokenOnlyWithItsSoPin) {
  generated("device", HSMTLS_P11_GENERATE_P256);
  EXPECT_EQ(face.initialise(in_edge, "fresh", "another-zebra", user_pin), HSMTLS_P11_PIN_INCORRECT);
  EXPECT_EQ(face.try_open("pkcs11:token=edge;object=device", with_pin(user_pin)), HSMTLS_P11_OK);
  EXPECT_EQ(face.initialise(in_edge, "fresh", so_pin, user_pin), HSMTLS_P11_OK);
  std::vector<listed> left;
  EXPECT_EQ(face.list("pkcs11:token=fresh", left, with_pin(user_pin)), HSMTLS_P11_OK);
  EXPECT_TRUE(left.empty());
}

// A certificate and its parts as PKCS#11 wants them: for a key of its own, or for `subject_key`.
struct real_certificate {
  bytes value, subject, serial;

  explicit real_certificate(EVP_PKEY* subject_key = nullptr, long number = 4711) {
    const evp_key own(EVP_EC_gen("P-256"));
    const x509 made = certificate_for(
        subject_key != nullptr ? subject_key : own.get(), own.get(), number, X509_VERSION_1);
    value = written_der([&](unsigned char** out) { return i2d_X509(made.get(), out); });
    subject = written_der(
        [&](unsigned char** out) { return i2d_X509_NAME(X509_get_subject_name(made.get()), out); });
    serial = written_der([&](unsigned char** out) {
      return i2d_ASN1_INTEGER(X509_get_serialNumber(made.get()), out);
    });
  }
  [[nodiscard]] hsmtls_p11_certificate as_c() const {
    const auto length = [](const bytes& of) { return static_cast<uint32_t>(of.size()); };
    return {value.data(),
            length(value),
            subject.data(),
            length(subject),
            subject.data(),
            length(subject),
            serial.data(),
            length(serial)};
  }
};

TEST_F(PrivateSoftHsm, StoresACertificateOnceHoweverOftenItIsImported) {
  private_key key;
  ASSERT_EQ(face.generate("pkcs11:token=edge;object=device;id=%01",
                          HSMTLS_P11_GENERATE_P256,
                          0,
                          key,
                          with_pin(user_pin)),
            HSMTLS_P11_OK);
  const real_certificate made;
  const auto login = with_pin(user_pin);
  const auto import = [&](const std::string& uri) {
    hsmtls_p11_error error{};
    const auto how = login.as_c();
    const auto what = made.as_c();
    return answer_of(face->certificate_import(uri.c_str(), &what, &how, &error), error);
  };
  for (int i = 0; i < 2; ++i)
    ASSERT_EQ(import("pkcs11:token=edge;object=device;id=%01;type=cert"), HSMTLS_P11_OK);
  auto found = key.certificates();
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ(made.value, found[0].value);
  EXPECT_EQ("device", found[0].label);
  EXPECT_EQ((bytes{1}), found[0].id);
  ASSERT_EQ(import("pkcs11:token=edge;object=ca;type=cert"), HSMTLS_P11_OK);
  found = key.certificates();
  ASSERT_EQ(2U, found.size());
  EXPECT_EQ("device", found[0].label) << "the key's own first";
  EXPECT_EQ(import("pkcs11:token=edge;object=device;type=private"), HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_EQ(face.remove(found[1].uri, login), HSMTLS_P11_OK);
  EXPECT_EQ(1U, key.certificates().size());
}

TEST_F(PrivateSoftHsm, TakesARenewedCertificateForTheSameKeyAndAnotherKeysForAnother) {
  const auto login = with_pin(user_pin);
  const std::string device = "pkcs11:token=edge;object=device;id=%01";
  private_key made;
  ASSERT_EQ(face.generate(device, HSMTLS_P11_GENERATE_P256, 0, made, login), HSMTLS_P11_OK);
  const evp_key public_half = public_key_of(made);
  made.release();
  // From here on only the certificate tells what key it is.
  ASSERT_EQ(face.remove(device + ";type=public", login), HSMTLS_P11_OK);
  const auto import = [&](EVP_PKEY* key, long number) {
    const real_certificate renewed(key, number);
    hsmtls_p11_error error{};
    const auto how = login.as_c();
    const auto what = renewed.as_c();
    const std::string uri = device + ";type=cert";
    ASSERT_EQ(answer_of(face->certificate_import(uri.c_str(), &what, &how, &error), error),
              HSMTLS_P11_OK);
  };
  const auto put = [&](EVP_PKEY* key, long number) {
    face.remove(device + ";type=cert", login);
    import(key, number);
    trouble.run("drop-sessions");
  };
  put(public_half.get(), 1);
  private_key key;
  ASSERT_EQ(face.open(device, key, login), HSMTLS_P11_OK);
  ASSERT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_OK);
  put(public_half.get(), 2);
  EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_OK);
  const evp_key another(EVP_EC_gen("P-256"));
  put(another.get(), 3);
  EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_KEY_REPLACED);
  put(public_half.get(), 4);
  EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_OK);
  import(public_half.get(), 5);  // beside the old one, as one does before it expires
  trouble.run("drop-sessions");
  EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_OK);
}

TEST_F(PrivateSoftHsm, RemovesOnlyWhatIsNamedExactly) {
  generated("one", HSMTLS_P11_GENERATE_P256);
  generated("two", HSMTLS_P11_GENERATE_P256);
  const auto login = with_pin(user_pin);
  answer got = face.remove("pkcs11:token=edge;object=one", login);
  EXPECT_EQ(got, HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_THAT(got.message, HasSubstr("type"));
  got = face.remove("pkcs11:token=edge;type=private", login);
  EXPECT_EQ(got, HSMTLS_P11_AMBIGUOUS);
  EXPECT_THAT(got.message, HasSubstr("one"));
  EXPECT_THAT(got.message, HasSubstr("two"));
  got = face.remove("pkcs11:token=edge;object=on;type=private", login);
  EXPECT_EQ(got, HSMTLS_P11_OBJECT_NOT_FOUND);
  EXPECT_THAT(got.message, HasSubstr("'one'"));
  EXPECT_EQ(face.remove("pkcs11:token=edge;object=one;type=private", login), HSMTLS_P11_OK);
  EXPECT_EQ(face.try_open("pkcs11:token=edge;object=one", login), HSMTLS_P11_OBJECT_NOT_FOUND);
  EXPECT_EQ(face.try_open("pkcs11:token=edge;object=two", login), HSMTLS_P11_OK);
}

}  // namespace
}  // namespace hsmtls::test
