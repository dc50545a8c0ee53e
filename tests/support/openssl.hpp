// What tests need of OpenSSL's libcrypto: owners, DER, and a certificate for any key.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/support/freed_by.hpp"

namespace hsmtls::test {

using evp_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using x509 = std::unique_ptr<X509, freed_by<X509_free>>;

// `written_der` returns what write(unsigned char**), one of OpenSSL's i2d_… functions, writes.
template <class Write>
std::vector<uint8_t> written_der(Write&& write) {
  unsigned char* out = nullptr;
  const int length = write(&out);
  EXPECT_LT(0, length);
  std::vector<uint8_t> made(out, out + length);
  OPENSSL_free(out);
  return made;
}

// `public_half_of` returns the public half alone, in OpenSSL's own hands: mathematics verifies with it.
inline evp_key public_half_of(EVP_PKEY* key) {
  const std::vector<uint8_t> der =
      written_der([&](unsigned char** out) { return i2d_PUBKEY(key, out); });
  const unsigned char* at = der.data();
  return evp_key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

// `certificate_for` makes a certificate named CN=device for the key `subject`, good for an hour from
// now, signed by `signer`.
inline x509 certificate_for(EVP_PKEY* subject, EVP_PKEY* signer, long serial, long version) {
  x509 made(X509_new());
  X509_set_version(made.get(), version);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), subject);
  X509_NAME* const name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("device"), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  EXPECT_LT(0, X509_sign(made.get(), signer, EVP_sha256()));
  return made;
}

}  // namespace hsmtls::test
