// The public key in a certificate, against OpenSSL's own words.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/pkcs11/token/certificate_key.hpp"
#include "tests/support/openssl.hpp"

namespace hsmtls::pkcs11 {
namespace {

using bytes = std::vector<uint8_t>;

bytes certificate(EVP_PKEY* key, long serial, long version) {
  const test::x509 made = test::certificate_for(key, key, serial, version);
  return test::written_der([&](unsigned char** out) { return i2d_X509(made.get(), out); });
}

bytes found_in(const bytes& certificate) {
  const auto key = public_key_of_certificate(certificate);
  return {key.begin(), key.end()};
}

class CertificateKey : public testing::TestWithParam<const char*> {
 protected:
  const test::evp_key key{std::string(GetParam()) == "RSA" ? EVP_RSA_gen(2048)
                                                           : EVP_EC_gen(GetParam())};
  const bytes wanted =
      test::written_der([&](unsigned char** out) { return i2d_PUBKEY(key.get(), out); });
};

TEST_P(CertificateKey, IsTheSameInEachCertificateOfAKey) {
  for (const long version : {X509_VERSION_1, X509_VERSION_3}) {
    EXPECT_EQ(wanted, found_in(certificate(key.get(), 1, version)));
    EXPECT_EQ(wanted, found_in(certificate(key.get(), 4711, version)));
  }
}

TEST_P(CertificateKey, IsNothingInACertificateThatWasCut) {
  const bytes whole = certificate(key.get(), 1, X509_VERSION_3);
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_TRUE(found_in({whole.begin(), whole.begin() + static_cast<long>(length)}).empty());
}

TEST_P(CertificateKey, IsNeverLookedForOutsideTheCertificate) {
  const bytes whole = certificate(key.get(), 1, X509_VERSION_3);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const uint8_t value : {0x00, 0x30, 0x80, 0x82, 0x84, 0xff}) {
      bytes broken = whole;
      broken[i] = value;
      EXPECT_LE(found_in(broken).size(), broken.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, CertificateKey, testing::Values("P-256", "P-384", "RSA"));

}  // namespace
}  // namespace hsmtls::pkcs11
