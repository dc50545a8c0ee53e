// Certificates, read and described.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/openssl/handles.hpp"

namespace hsmtls::cli {

// `certificates_in` reads all of a PEM text, or one in DER. `from` is where it came from, for the
// error. Throws problem (CERTIFICATE_MALFORMED); also where there is none.
std::vector<certificate> certificates_in(const std::string& text, const std::string& from);
certificate certificate_in(std::span<const uint8_t> der);  // null: it is none

std::string pem_of(X509* one);
std::string name_text(const X509_NAME* name);  // RFC 4514
std::string subject_of(const X509* one);
std::string issuer_of(const X509* one);
std::string common_name_of(const X509* one);   // empty: it has none
std::string time_text(const ASN1_TIME* time);  // RFC 3339, UTC
bool is_self_signed(X509* one);
bool has_issued(X509* issuer, X509* one);  // by name, and its key has signed

// `key_identifier` returns the 20 bytes of RFC 5280 section 4.2.1.2 (1).
std::string key_identifier(const X509* one);

// `key_text` returns "EC P-256", "EC brainpoolP256r1", "RSA 2048", "Ed25519".
std::string key_text(EVP_PKEY* key);

}  // namespace hsmtls::cli
