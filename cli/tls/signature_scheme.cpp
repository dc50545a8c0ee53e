#include "cli/tls/signature_scheme.hpp"

#include <fmt/format.h>
#include <openssl/rsa.h>

#include <array>

namespace hsmtls::cli {

std::vector<signature_scheme> schemes_for(const hsmtls_identity_info& key) {
  switch (key.key_type) {
    case HSMTLS_KEY_RSA:
      return {{"rsa_pss_rsae_sha256", "TLS 1.2 and 1.3", "SHA256", RSA_PKCS1_PSS_PADDING},
              {"rsa_pkcs1_sha256", "TLS 1.2", "SHA256", RSA_PKCS1_PADDING}};
    case HSMTLS_KEY_EC:
      if (key.key_bits > 384) return {{"ecdsa_secp521r1_sha512", "TLS 1.2 and 1.3", "SHA512", 0}};
      if (key.key_bits > 256) return {{"ecdsa_secp384r1_sha384", "TLS 1.2 and 1.3", "SHA384", 0}};
      return {{"ecdsa_secp256r1_sha256", "TLS 1.2 and 1.3", "SHA256", 0}};
    default:
      return {{"ed25519", "TLS 1.2 and 1.3", nullptr, 0}};
  }
}

std::string scheme_name(uint16_t code) {
  struct named {
    uint16_t code;
    const char* name;
  };
  static constexpr std::array all{named{0x0201, "rsa_pkcs1_sha1"},
                                  named{0x0203, "ecdsa_sha1"},
                                  named{0x0401, "rsa_pkcs1_sha256"},
                                  named{0x0403, "ecdsa_secp256r1_sha256"},
                                  named{0x0501, "rsa_pkcs1_sha384"},
                                  named{0x0503, "ecdsa_secp384r1_sha384"},
                                  named{0x0601, "rsa_pkcs1_sha512"},
                                  named{0x0603, "ecdsa_secp521r1_sha512"},
                                  named{0x0804, "rsa_pss_rsae_sha256"},
                                  named{0x0805, "rsa_pss_rsae_sha384"},
                                  named{0x0806, "rsa_pss_rsae_sha512"},
                                  named{0x0807, "ed25519"},
                                  named{0x0808, "ed448"},
                                  named{0x0809, "rsa_pss_pss_sha256"},
                                  named{0x080a, "rsa_pss_pss_sha384"},
                                  named{0x080b, "rsa_pss_pss_sha512"}};
  for (const named& one : all) {
    if (one.code == code) return one.name;
  }
  return fmt::format("0x{:04x}", code);
}

}  // namespace hsmtls::cli
