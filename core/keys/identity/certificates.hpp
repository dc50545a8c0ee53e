// Certificates: read, told apart, put in order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/keys/host/handles.hpp"
#include "core/keys/token/objects.hpp"

namespace hsmtls::keys {

// `certificates_in_pem` reads all certificates of a PEM text; what else is in it is passed over. `from`
// says where the text came from, for the error. Throws failure (CERTIFICATE_MALFORMED).
std::vector<host::x509> certificates_in_pem(std::string_view pem, const std::string& from);

// `read_certificates` reads those of a PEM text, or the one that is there in DER.
std::vector<host::x509> read_certificates(std::string_view given, const std::string& from);

// `certifies` tells whether a certificate is for that key. Null: a key that nobody knows.
bool certifies(const X509* certificate, const EVP_PKEY* public_half);

// `chain_for` picks the certificate of the key `public_half` (null: of none) and puts the intermediates
// behind it, each the issuer of the one before; a self-signed root is left out. Several for one key:
// rather one that an authority issued, rather one that is valid now, then the one that is good the
// longest. Throws failure: CERTIFICATE_NOT_FOUND where there is none at all, CERTIFICATE_MISMATCH where
// all are for other keys (it says whose), CHAIN_BROKEN where an intermediate has the issuer's name and
// not its key.
std::vector<host::x509> chain_for(const EVP_PKEY* public_half,
                                  std::vector<host::x509> candidates,
                                  const std::string& from);

// `name_of` returns the subject as RFC 2253 writes it, for a sentence.
std::string name_of(const X509* certificate);
std::string name_of(const X509_NAME* name);

// `pem_of` writes certificates as PEM, in their order.
std::string pem_of(const std::vector<host::x509>& chain);

// `date_warning` says what is wrong with a certificate's dates now; empty: nothing.
std::string date_warning(const X509* certificate);

}  // namespace hsmtls::keys
