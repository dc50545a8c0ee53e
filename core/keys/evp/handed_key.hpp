// A token's key as an EVP_PKEY, for whoever takes one.
#pragma once

#include <memory>

#include "core/keys/host/handles.hpp"
#include "core/keys/token/token_key.hpp"

namespace hsmtls::keys {

// `provider_pkey` makes a key of our in-process provider, in a library context of its own, whose public
// half is known. Throws failure.
host::pkey provider_pkey(const std::shared_ptr<token_key>& key);

// `hybrid_pkey` makes that with a legacy half (EVP_PKEY_get0_RSA, EVP_PKEY_get0_EC_KEY), and checks
// that signatures by either half come to the token. Throws failure (UNSUPPORTED) where they do not.
host::pkey hybrid_pkey(const std::shared_ptr<token_key>& key);

}  // namespace hsmtls::keys
