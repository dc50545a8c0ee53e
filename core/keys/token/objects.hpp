// What else is in a token: certificates.
#pragma once

#include <cstdint>
#include <vector>

#include "core/keys/host/handles.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::keys {

using certificate_der = std::vector<uint8_t>;

// `certificates_fitting` returns those in the one token that `uri` fits, of the URI's object and id.
// Throws failure.
std::vector<certificate_der> certificates_fitting(pkcs11::uri uri, const hsmtls_p11_login* login);

// `certificates_beside` returns those in the key's token, those with its CKA_ID first. Throws failure.
std::vector<certificate_der> certificates_beside(hsmtls_p11_key* key);

// `certificates_in_der` reads one certificate each. Those that cannot be read are left out.
std::vector<host::x509> certificates_in_der(const std::vector<certificate_der>& all);

}  // namespace hsmtls::keys
