// The public key in a certificate, against OpenSSL's own words.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <vector>

#include "core/pkcs11/token/certificate_key.hpp"

namespace hsmtls::pkcs11 {
namespace {

using bytes = std::vector<uint8_t>;

template <auto Free>
struct freed_by {
  template <class Thing>
  void operator()(Thing* one) const {
    Free(one);
  }
};
using key_pointer = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

template <class Write>
bytes der(Write&& write) {
  unsigned char* out = nullptr;
  const int length = write(&out);
  bytes made(out, out + length);
  OPENSSL_free(out);
  return made;
}

bytes certificate(EVP_PKEY* key, long serial, long version) {
  const std::unique_ptr<X509, freed_by<X509_free>> made(X509_new());
  X509_set_version(made.get(), version);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600 * serial);
  X509_set_pubkey(made.get(), key);
  X509_NAME* const name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("device"), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  EXPECT_LT(0, X509_sign(made.get(), key, EVP_sha256()));
  return der([&](unsigned char** out) { return i2d_X509(made.get(), out); });
}

bytes found_in(const bytes& certificate) {
  const auto key = public_key_of_certificate(certificate);
  return {key.begin(), key.end()};
}

class CertificateKey : public testing::TestWithParam<const char*> {
 protected:
  const key_pointer key{std::string(GetParam()) == "RSA" ? EVP_RSA_gen(2048)
                                                         : EVP_EC_gen(GetParam())};
  const bytes wanted = der([&](unsigned char** out) { return i2d_PUBKEY(key.get(), out); });
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
