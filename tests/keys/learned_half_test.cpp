// Keys whose public half the token does not have: it is a certificate's, if a signature shows that the
// certificate is for the key.
#include "tests/keys/fixture.hpp"
#include "tests/support/pki.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

class LearnedHalves : public keys_in_softhsm {
 protected:
  // Makes the key, and a certificate for it; then the token forgets the public half.
  std::string certificate_of(const std::string& label, const std::string& name) {
    const evp_key key = handed_key(open_key(label));
    return pem_of(ca.issue(key.get(), {.name = name}).get());
  }
  void forget_public_key(const std::string& label) {
    const std::string uri = "pkcs11:token=edge;object=" + label + ";type=public";
    hsmtls_login login{};
    login.struct_size = sizeof login;
    login.pin = reinterpret_cast<const uint8_t*>(token.user_pin().data());
    login.pin_len = static_cast<uint32_t>(token.user_pin().size());
    EXPECT_EQ(asked(hsmtls_object_remove, uri.c_str(), HSMTLS_TEST_CHAOS, &login), HSMTLS_OK);
  }
  // How often the token signed while it was opened with that certificate.
  uint64_t signatures_to_open(const std::string& label, const std::string& certificate) {
    const uint64_t before = trouble().count("C_Sign");
    open_identity made;
    EXPECT_EQ(try_with(label, certificate, made), HSMTLS_OK);
    return trouble().count("C_Sign") - before;
  }

  authority ca{"ca"};
  const std::string another = pem_of(ca.issue(software_key().get(), {.name = "another"}).get());
  const std::string of_rsa =
      pem_of(ca.issue(software_key("RSA:2048").get(), {.name = "rsa"}).get());
};

TEST_F(LearnedHalves, AreTheOnesThatVerifyASignature) {
  for (const char* label : {"p256", "p384", "ed25519"}) {
    const std::string own = certificate_of(label, "own");
    forget_public_key(label);
    open_identity made;
    ASSERT_EQ(try_with(label, another + of_rsa + own, made), HSMTLS_OK) << label;
    EXPECT_EQ(own, hsmtls_identity_certificate_pem(made.get()));
  }
}

TEST_F(LearnedHalves, CostOneSignatureAndKnownOnesNone) {
  const std::string own = certificate_of("p256", "own");
  EXPECT_EQ(0U, signatures_to_open("p256", own));
  forget_public_key("p256");
  EXPECT_EQ(1U, signatures_to_open("p256", own));
  EXPECT_EQ(1U, signatures_to_open("p256", another + own));
}

TEST_F(LearnedHalves, AreNotBelievedOfAnotherKeysCertificate) {
  certificate_of("p256", "own");
  forget_public_key("p256");
  open_identity none;
  const answer said = try_with("p256", another, none);
  EXPECT_EQ(said, HSMTLS_CERTIFICATE_MISMATCH);
  EXPECT_THAT(said.message, HasSubstr("CN=another"));
  EXPECT_EQ(import("pkcs11:token=edge;object=p256", another), HSMTLS_CERTIFICATE_MISMATCH);
}

TEST_F(LearnedHalves, AreNotLookedForInACertificateOfAnotherType) {
  certificate_of("p256", "own");
  forget_public_key("p256");
  const uint64_t before = trouble().count("C_Sign");
  open_identity none;
  EXPECT_EQ(try_with("p256", of_rsa, none), HSMTLS_CERTIFICATE_MISMATCH);
  EXPECT_EQ(before, trouble().count("C_Sign"));
}

TEST_F(LearnedHalves, AreFoundInTheTokenWhereNoCertificateIsAskedFor) {
  const std::string own = certificate_of("p256", "own");
  forget_public_key("p256");
  open_identity made;
  const answer said = try_open(source_of("pkcs11:token=edge;object=p256"), made);
  EXPECT_EQ(said, HSMTLS_CERTIFICATE_NOT_FOUND);
  EXPECT_THAT(said.message, HasSubstr("hsmtls import"));
  // What the sentence says helps.
  EXPECT_EQ(import("pkcs11:token=edge;object=a-stranger;id=%77", another), HSMTLS_OK);
  EXPECT_EQ(import("pkcs11:token=edge;object=p256", own), HSMTLS_OK);
  EXPECT_EQ(try_open(source_of("pkcs11:token=edge;object=p256"), made), HSMTLS_OK);
}

TEST_F(LearnedHalves, AreLearnedByAKeyThatWantsItsPinForEachSignature) {
  const std::string own = certificate_of("p256", "own");
  forget_public_key("p256");
  trouble().run("always-authenticate pin=" + token.user_pin());
  open_identity made;
  EXPECT_EQ(try_with("p256", own, made), HSMTLS_OK);
}

// Some tokens show no CKA_PUBLIC_EXPONENT of a private key, some not even its modulus. Whichever answer
// is missing, the certificate is not said to be another key's.
TEST_F(LearnedHalves, OfRsaAreMadeUpForPieceByPiece) {
  const std::string own = certificate_of("rsa", "own");
  int opened_without_an_answer = 0;
  for (const bool beside : {true, false}) {
    if (!beside) forget_public_key("rsa");
    for (int call = 1; call <= 16; ++call) {
      trouble().run("reset; fail C_GetAttributeValue " + std::to_string(call) +
                    " CKR_ATTRIBUTE_TYPE_INVALID");
      open_identity made;
      const answer said = try_with("rsa", own, made);
      EXPECT_NE(said.code, HSMTLS_CERTIFICATE_MISMATCH) << call << ": " << said;
      if (said.fine() && trouble().count("C_Sign") > 0) ++opened_without_an_answer;
    }
  }
  EXPECT_LE(2, opened_without_an_answer) << "modulus, exponent";
}

}  // namespace
}  // namespace hsmtls::test
