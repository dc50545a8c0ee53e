// Identities through the C face, with a key of each kind in SoftHSM and the chaos module between.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/chaos.hpp"
#include "tests/support/identities.hpp"
#include "tests/support/leaks.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::test {

// The reasons on this thread's OpenSSL error queue, which is empty afterwards.
inline std::string openssl_errors() {
  std::string all;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const char* const reason = ERR_reason_error_string(code);
    all += std::string(reason != nullptr ? reason : "?") + " (" +
           ((flags & ERR_TXT_STRING) != 0 ? data : "") + ")\n";
  }
  return all;
}

// Signs a byte with SHA-256, as TLS and others do.
inline bool signs(EVP_PKEY* key) {
  const std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  uint8_t signature[1024];
  size_t length = sizeof signature;
  return EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestSign(context.get(), signature, &length, signature, 1) == 1;
}

inline evp_key read_key(const std::string& pem) {
  BIO* const in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  evp_key made(PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr));
  BIO_free(in);
  return made;
}

// One key in the token.
struct token_key_spec {
  const char* label;
  hsmtls_generate_kind kind;
  uint32_t bits;
};
inline constexpr token_key_spec key_specs[] = {{"p256", HSMTLS_GENERATE_P256, 0},
                                               {"p384", HSMTLS_GENERATE_P384, 0},
                                               {"p521", HSMTLS_GENERATE_P521, 0},
                                               {"rsa", HSMTLS_GENERATE_RSA, 2048},
                                               {"ed25519", HSMTLS_GENERATE_ED25519, 0}};

class keys_in_softhsm : public testing::Test {
 protected:
  keys_in_softhsm() : token({"edge", "pin-of-this-test", "so-pin-of-this-test"}) {
    chaos::in_front_of(softhsm_module());
  }

  // Generates the key of that label (key_specs) if it is not there yet, and returns its URI.
  std::string with_key(const std::string& label) {
    const std::string uri = "pkcs11:token=edge;object=" + label;
    // SoftHSM 2.6.1 leaks the name of the curve, in libcrypto's memory, whenever it looks at such a key.
    if (label == "ed25519") expect_foreign_leaks();
    if (made_.insert(label).second) {
      for (const token_key_spec& one : key_specs) {
        if (label == one.label) {
          EXPECT_EQ(generate(uri, one.kind, one.bits), HSMTLS_OK);
        }
      }
    }
    return uri;
  }

  answer generate(const std::string& uri, hsmtls_generate_kind kind, uint32_t bits = 0) {
    return generate_key(uri, token.user_pin(), kind, bits);
  }

  // A key, to be opened with the right PIN through the chaos module.
  [[nodiscard]] identity_source source_of(const std::string& uri) const {
    return {.key = uri, .pin = token.user_pin(), .module = HSMTLS_TEST_CHAOS};
  }

  // Opens that key with a certificate: PEM text, a file, a URI; "": from the token.
  answer try_with(const std::string& label, const std::string& certificate, open_identity& out) {
    identity_source from = source_of(with_key(label));
    from.certificate = certificate;
    from.flags = 0;
    return try_open(from, out);
  }

  answer import(const std::string& uri, const std::string& certificate) {
    return import_certificate(source_of(uri), certificate);
  }

  // An identity that stays open as long as the test.
  hsmtls_identity* open_key(const std::string& label) {
    return opened_.emplace_back(opened(source_of(with_key(label)))).get();
  }

  // The chaos module, once something has loaded it with the environment of this test.
  chaos& trouble() {
    if (!chaos_) chaos_.emplace();
    return *chaos_;
  }

  softhsm_token token;

 private:
  std::set<std::string> made_;
  std::vector<open_identity> opened_;
  std::optional<chaos> chaos_;
};

}  // namespace hsmtls::test
