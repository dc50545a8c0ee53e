// The public half of a token's key, as a key of the host's own provider.
#pragma once

#include "core/keys/host/handles.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::keys {

// What keeps a fetch in the default library context away from our own algorithms.
inline constexpr const char* not_ours = "provider!=hsmtls";

// `public_half` makes it of what the token says; null where the token does not say all of it (a token
// without public key objects). Throws failure (UNSUPPORTED).
host::pkey public_half(const hsmtls_p11_key_info& info);

// `curve_of` names the curve of an EC key as OpenSSL and .NET compare it: "prime256v1", never "P-256".
// Throws failure (UNSUPPORTED) for one that is not for TLS.
const char* curve_of(const hsmtls_p11_key_info& info);

}  // namespace hsmtls::keys
