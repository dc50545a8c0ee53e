// A certificate authority of the test's own, and certificates for any key.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/openssl.hpp"

namespace hsmtls::test {

// What a certificate says. Strict verifiers (Python 3.13) accept it.
struct certificate_words {
  std::string name = "device";                         // CN
  std::vector<std::string> names{};                    // "DNS:localhost", "IP:127.0.0.1"
  std::chrono::seconds from = -std::chrono::hours(1);  // both from now
  std::chrono::seconds until = std::chrono::hours(1);
  bool authority = false;
  const char* digest = "SHA256";
  size_t padding = 0;  // bytes that make it longer
};

// `authority` has a software key (P-256) and a certificate of its own.
class authority {
 public:
  explicit authority(const std::string& name);
  // An intermediate one.
  authority(const std::string& name, const authority& issuer);

  // `issue` signs a certificate for a key of any kind, a token's included.
  [[nodiscard]] x509 issue(EVP_PKEY* subject, const certificate_words& words) const;
  [[nodiscard]] X509* certificate() const { return certificate_.get(); }
  [[nodiscard]] std::string pem() const;

 private:
  evp_key key_;
  x509 certificate_;
};

std::string pem_of(X509* certificate);
// Of a software key, not encrypted.
std::string pem_of(EVP_PKEY* key);

// Software keys: "P-256", "RSA:1024", "RSA:2048", "ED25519".
evp_key software_key(const std::string& kind = "P-256");

}  // namespace hsmtls::test
