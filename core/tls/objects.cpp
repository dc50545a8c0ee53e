#include "core/tls/objects.hpp"

#include "core/keys/failure.hpp"

namespace hsmtls::tls {
namespace {

[[noreturn]] void refuse() {
  throw failure(HSMTLS_OPENSSL_UNUSABLE, "OpenSSL has no SHA-256 here");
}

}  // namespace

digest digest_of(std::span<const uint8_t> data) {
  digest made{};
  unsigned int length = 0;
  if (host::crypto().EVP_Digest(
          data.data(), data.size(), made.data(), &length, host::crypto().EVP_sha256(), nullptr) !=
      1) {
    refuse();
  }
  return made;
}

digest digest_of(const std::string& text) {
  return digest_of({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

digest digest_of(const X509* certificate) {
  digest made{};
  unsigned int length = 0;
  if (certificate != nullptr &&
      host::crypto().X509_digest(certificate, host::crypto().EVP_sha256(), made.data(), &length) !=
          1) {
    refuse();
  }
  return made;
}

}  // namespace hsmtls::tls
