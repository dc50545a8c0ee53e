// The public key in a certificate: what stays the same when the certificate is renewed for its key.
#pragma once

#include <cstdint>
#include <span>

namespace hsmtls::pkcs11 {

// `public_key_of_certificate` returns the SubjectPublicKeyInfo (RFC 5280 section 4.1) inside the DER
// of an X.509 certificate, header included; an empty span if it is none. Nothing else of the
// certificate is looked at.
std::span<const uint8_t> public_key_of_certificate(std::span<const uint8_t> der);

}  // namespace hsmtls::pkcs11
