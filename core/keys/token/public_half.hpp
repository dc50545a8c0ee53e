// The public half of a token's key, as a key of the host's own provider.
#pragma once

#include "core/keys/host/handles.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::keys {

// What keeps a fetch in the default library context away from our own algorithms.
inline constexpr const char* not_ours = "provider!=hsmtls";

// `public_half` makes it of what the token says; null where the token does not say (a token without
// public key objects). Throws failure (UNSUPPORTED) for a curve that OpenSSL has no name for.
host::pkey public_half(const hsmtls_p11_key_info& info);

}  // namespace hsmtls::keys
