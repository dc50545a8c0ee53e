// Reference PEMs, which name a key and hold no key material, and the provider that resolves them.
#pragma once

#include <string>

#include "hsmtls/tokens.hpp"

namespace hsmtls {

// `install_provider` adds the provider "hsmtls-inproc" to the default library context of the host's
// OpenSSL, behind those that are there: from then on the reference PEM of an identity that is open in
// this process is a key for whoever reads PEM through OpenSSL. Once is enough; it stays for the life
// of the process. Fails with errc::openssl_unusable where the configuration would make OpenSSL
// overlook it (mandatory default_properties).
inline void install_provider(diagnostics& problem) {
  if (detail::has_openssl(problem)) problem = detail::call(&hsmtls_provider_install);
}
inline void install_provider() {
  detail::thrown_by([](diagnostics& problem) { install_provider(problem); });
}

// `write_reference_pem` makes a reference PEM of a URI (format "PKCS#11 Provider URI v1.0"). What
// selects no object (pin-*, module-*) is refused with errc::malformed_uri. No PKCS#11 call.
inline std::string write_reference_pem(const std::string& uri, diagnostics& problem) {
  if (!detail::has_openssl(problem)) return {};
  return detail::text_by(problem, [&](hsmtls_text** out) {
    return detail::call(&hsmtls_reference_pem_write, uri.c_str(), out);
  });
}
inline std::string write_reference_pem(const std::string& uri) {
  return detail::thrown_by([&](diagnostics& problem) { return write_reference_pem(uri, problem); });
}

// `read_reference_pem` returns the URI in the first reference PEM of `pem`.
inline std::string read_reference_pem(const std::string& pem, diagnostics& problem) {
  if (!detail::has_openssl(problem)) return {};
  return detail::text_by(problem, [&](hsmtls_text** out) {
    return detail::call(&hsmtls_reference_pem_read, pem.c_str(), out);
  });
}
inline std::string read_reference_pem(const std::string& pem) {
  return detail::thrown_by([&](diagnostics& problem) { return read_reference_pem(pem, problem); });
}

}  // namespace hsmtls
