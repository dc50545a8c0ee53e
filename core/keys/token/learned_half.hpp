// The public half of a key whose token has the private half alone: a certificate's, if a signature by
// the key proves that it is for this key.
#pragma once

#include <span>

#include "core/keys/host/handles.hpp"
#include "core/keys/token/token_key.hpp"

namespace hsmtls::keys {

// `learn_public_half` takes the public half from the first of `certificates` that verifies a signature
// by the key, and returns whether it is known now. No call where it was known before, nor where no
// certificate is for a key of that type and curve; otherwise one signature (one for each length of
// modulus). Throws failure where the token does not sign.
bool learn_public_half(token_key& key, std::span<const host::x509> certificates);

// `need_public_half` learns it from the certificates in the key's token. Throws failure
// (CERTIFICATE_NOT_FOUND) where none of them is for the key.
void need_public_half(token_key& key);

}  // namespace hsmtls::keys
