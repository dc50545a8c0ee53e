// A PEM may come from a stranger: what it must not be able to do (in process; tests/provider has the
// same for a configured provider).
#include "tests/keys/fixture.hpp"
#include "tests/keys/watched_calls.hpp"

namespace hsmtls::test {
namespace {

std::string der_element(char tag, const std::string& value) {
  std::string out(1, tag);
  if (value.size() < 128) {
    out += static_cast<char>(value.size());
  } else {
    out += '\x82';
    out += static_cast<char>(value.size() >> 8U);
    out += static_cast<char>(value.size());
  }
  return out + value;
}

std::string pem_of(const std::string& name, const std::string& der) {
  BIO* const out = BIO_new(BIO_s_mem());
  PEM_write_bio(out,
                name.c_str(),
                "",
                reinterpret_cast<const uint8_t*>(der.data()),
                static_cast<long>(der.size()));
  char* text = nullptr;
  const long length = BIO_get_mem_data(out, &text);
  std::string made(text, static_cast<size_t>(length));
  BIO_free(out);
  return made;
}

// By hand, so that it may say what our own writer refuses.
std::string reference(const std::string& uri,
                      const std::string& version = "PKCS#11 Provider URI v1.0") {
  return pem_of("PKCS#11 PROVIDER URI",
                der_element('\x30', der_element('\x1a', version) + der_element('\x0c', uri)));
}

evp_key read_public_key(const std::string& pem) {
  BIO* const in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  evp_key made(PEM_read_bio_PUBKEY(in, nullptr, nullptr, nullptr));
  BIO_free(in);
  return made;
}

class UntrustedPem : public keys_in_softhsm {
 protected:
  UntrustedPem() {
    identity_ = open_key("p256");
    EXPECT_EQ(asked(hsmtls_provider_install), HSMTLS_OK);
    // Whatever OpenSSL itself does at the first PEM is done before anybody watches.
    EXPECT_NE(nullptr, read_key(hsmtls_identity_key_pem(identity_))) << openssl_errors();
    EXPECT_EQ(nullptr, read_key(reference("pkcs11:token=warm-up")));
    ERR_clear_error();
  }

  // What reading costs besides being refused.
  void expect_falls_through(const std::string& pem) {
    SCOPED_TRACE(pem);
    const uint64_t calls = trouble().total();
    const int dlopens = watched::dlopens;
    const int files = watched::files;
    EXPECT_EQ(nullptr, read_key(pem));
    EXPECT_EQ(nullptr, read_public_key(pem));
    EXPECT_EQ(calls, trouble().total()) << "PKCS#11 calls";
    EXPECT_EQ(dlopens, watched::dlopens) << "dlopen";
    EXPECT_EQ(files, watched::files) << "files";
    ERR_clear_error();
  }

  hsmtls_identity* identity_;
};

TEST_F(UntrustedPem, ThatNamesAKeyThatNobodyOpenedFallsThrough) {
  with_key("rsa");
  for (const char* uri : {"pkcs11:token=edge;object=rsa",
                          "pkcs11:token=elsewhere",
                          "pkcs11:token=edge;object=p256;slot-id=0",
                          "pkcs11:token=edge;object=p256;x-vendor=1",
                          "pkcs11:token=edge;object=p256;type=public"}) {
    expect_falls_through(reference(uri));
  }
}

TEST_F(UntrustedPem, ThatNamesAModuleOrAPinFallsThroughAlthoughTheKeyIsOpen) {
  for (const char* query : {"module-path=/tmp/evil.so",
                            "module-name=evil",
                            "pin-value=1234",
                            "pin-source=file:/etc/passwd",
                            "pin-source=%7Ccommand"}) {
    expect_falls_through(reference(std::string("pkcs11:token=edge;object=p256?") + query));
  }
}

TEST_F(UntrustedPem, ThatIsMalformedFallsThrough) {
  const std::string uri = "pkcs11:token=edge;object=p256";
  const std::string good =
      der_element('\x1a', "PKCS#11 Provider URI v1.0") + der_element('\x0c', uri);
  for (const std::string& pem :
       {reference(uri, "PKCS#11 Provider URI v2.0"),
        reference("not a uri"),
        reference(uri + std::string("\0", 1)),
        reference(uri + std::string(20000, 'a')),
        pem_of("PKCS#11 PROVIDER URI", der_element('\x30', good + der_element('\x0c', "more"))),
        pem_of("PKCS#11 PROVIDER URI", der_element('\x30', good) + "trailing"),
        pem_of("PKCS#11 PROVIDER URI", der_element('\x30', good).substr(0, 40)),
        pem_of("PKCS#11 PROVIDER URI", ""),
        pem_of("PKCS#11 PROVIDER URI", uri),
        std::string(
            "-----BEGIN PKCS#11 PROVIDER URI-----\n!!!!\n-----END PKCS#11 PROVIDER URI-----\n"),
        std::string("-----BEGIN PKCS#11 PROVIDER URI-----\n"),
        "-----BEGIN PKCS#11 PROVIDER URI-----\n" + std::string(100000, 'A')}) {
    expect_falls_through(pem);
  }
}

TEST_F(UntrustedPem, ReadAsAPublicKeySignsNothing) {
  const evp_key key = read_public_key(hsmtls_identity_key_pem(identity_));
  ASSERT_NE(nullptr, key) << openssl_errors();
  EXPECT_EQ(1, EVP_PKEY_eq(key.get(), handed_key(identity_).get()));
  const uint64_t calls = trouble().total();
  const std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  uint8_t signature[256];
  size_t length = sizeof signature;
  EXPECT_FALSE(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
               EVP_DigestSign(context.get(), signature, &length, signature, 1) == 1);
  ERR_clear_error();
  EXPECT_EQ(calls, trouble().total());
}

TEST_F(UntrustedPem, OfAnIdentityThatIsOpenIsItsKey) {
  for (const std::string& pem : {std::string(hsmtls_identity_key_pem(identity_)),
                                 reference("pkcs11:token=edge;object=p256"),
                                 reference("pkcs11:object=p256;type=private")}) {
    const uint64_t calls = trouble().total();
    const evp_key key = read_key(pem);
    ASSERT_NE(nullptr, key) << openssl_errors();
    EXPECT_EQ(1, EVP_PKEY_eq(key.get(), handed_key(identity_).get()));
    EXPECT_EQ(calls, trouble().total());
  }
}

TEST_F(UntrustedPem, OfAnIdentityThatWasClosedFallsThrough) {
  const std::string pem = hsmtls_identity_key_pem(identity_);
  hsmtls_identity_close(identity_);
  expect_falls_through(pem);
}

TEST_F(UntrustedPem, ThatFitsTwoOpenKeysFallsThrough) {
  open_key("rsa");
  expect_falls_through(reference("pkcs11:token=edge"));
}

TEST_F(UntrustedPem, ThatFitsTwoIdentitiesOfOneKeyIsThatKey) {
  open_key("p256");
  EXPECT_NE(nullptr, read_key(reference("pkcs11:token=edge")));
}

TEST_F(UntrustedPem, OrdinaryPemIsReadAsEver) {
  const evp_key made(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  BIO* const out = BIO_new(BIO_s_mem());
  ASSERT_EQ(1, PEM_write_bio_PrivateKey(out, made.get(), nullptr, nullptr, 0, nullptr, nullptr));
  char* text = nullptr;
  const long length = BIO_get_mem_data(out, &text);
  const uint64_t calls = trouble().total();
  const evp_key read = read_key(std::string(text, static_cast<size_t>(length)));
  BIO_free(out);
  ASSERT_NE(nullptr, read);
  EXPECT_EQ(1, EVP_PKEY_eq(made.get(), read.get()));
  EXPECT_EQ(calls, trouble().total());
}

// Node.js up to 22 looks at keys in this way, and crashes where it gets none.
TEST_F(UntrustedPem, OfAnOpenKeyHasALegacyHalfWithoutAPrivateKey) {
  const evp_key ec = read_key(hsmtls_identity_key_pem(identity_));
  const EC_KEY* const ec_half = EVP_PKEY_get0_EC_KEY(ec.get());
  ASSERT_NE(nullptr, ec_half) << openssl_errors();
  EXPECT_NE(nullptr, EC_KEY_get0_public_key(ec_half));
  EXPECT_EQ(nullptr, EC_KEY_get0_private_key(ec_half));

  const evp_key rsa = read_key(hsmtls_identity_key_pem(open_key("rsa")));
  const RSA* const rsa_half = EVP_PKEY_get0_RSA(rsa.get());
  ASSERT_NE(nullptr, rsa_half) << openssl_errors();
  EXPECT_EQ(2048, RSA_bits(rsa_half));
  EXPECT_EQ(nullptr, RSA_get0_d(rsa_half));
}

TEST_F(UntrustedPem, BehindACertificateInTheSameTextIsFound) {
  const evp_key key = handed_key(identity_);
  const x509 certificate = certificate_for(key.get(), key.get(), 1, 2);
  BIO* const out = BIO_new(BIO_s_mem());
  ASSERT_EQ(1, PEM_write_bio_X509(out, certificate.get()));
  ASSERT_LT(0, BIO_puts(out, hsmtls_identity_key_pem(identity_)));
  EXPECT_EQ(1,
            EVP_PKEY_eq(evp_key(PEM_read_bio_PrivateKey(out, nullptr, nullptr, nullptr)).get(),
                        key.get()));
  BIO_free(out);
}

class ReferencePem : public testing::Test {
 protected:
  static answer write(const std::string& uri, std::string& out) {
    hsmtls_text* made = nullptr;
    const answer said = asked(hsmtls_reference_pem_write, uri.c_str(), &made);
    out = hsmtls_text_data(made);
    EXPECT_EQ(out.size(), hsmtls_text_len(made));
    hsmtls_text_free(made);
    return said;
  }
  static answer read(const std::string& pem, std::string& out) {
    hsmtls_text* made = nullptr;
    const answer said = asked(hsmtls_reference_pem_read, pem.c_str(), &made);
    out = hsmtls_text_data(made);
    hsmtls_text_free(made);
    return said;
  }
};

// What pkcs11-provider's tools/uri2pem.py writes for this URI.
constexpr const char* by_uri2pem =
    "-----BEGIN PKCS#11 PROVIDER URI-----\n"
    "MDkaGVBLQ1MjMTEgUHJvdmlkZXIgVVJJIHYxLjAMHHBrY3MxMTp0b2tlbj1lZGdl\n"
    "O29iamVjdD1rZXk=\n"
    "-----END PKCS#11 PROVIDER URI-----\n";

TEST_F(ReferencePem, IsThatOfPkcs11Provider) {
  std::string pem;
  EXPECT_EQ(write("pkcs11:token=edge;object=key", pem), HSMTLS_OK);
  EXPECT_EQ(by_uri2pem, pem);
  std::string uri;
  EXPECT_EQ(read(by_uri2pem, uri), HSMTLS_OK);
  EXPECT_EQ("pkcs11:token=edge;object=key", uri);
}

TEST_F(ReferencePem, RefusesWhatSelectsNoKey) {
  std::string pem;
  for (const char* uri : {"pkcs11:token=edge?pin-value=1234",
                          "pkcs11:token=edge?pin-source=file:/pin",
                          "pkcs11:token=edge?module-path=/m.so",
                          "pkcs11:token=edge;type=cert",
                          "https://example.com",
                          "pkcs11:token=%zz",
                          ""}) {
    const answer said = write(uri, pem);
    EXPECT_EQ(said, HSMTLS_MALFORMED_URI) << uri;
    EXPECT_THAT(said.message, testing::Not(testing::HasSubstr("1234")));
  }
  EXPECT_EQ(write("pkcs11:object=" + std::string(9000, 'a'), pem), HSMTLS_MALFORMED_URI);
}

TEST_F(ReferencePem, RefusesTextThatHoldsNone) {
  std::string uri;
  for (const char* pem :
       {"",
        "pkcs11:token=edge",
        "-----BEGIN PKCS#11 PROVIDER URI-----\nAAAA\n-----END PKCS#11 PROVIDER URI-----\n"}) {
    EXPECT_EQ(read(pem, uri), HSMTLS_MALFORMED_PEM) << pem;
  }
}

}  // namespace
}  // namespace hsmtls::test
