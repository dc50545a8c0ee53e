// What the provider offers (provider(7)): one table for each operation.
#pragma once

#include <openssl/core.h>

namespace hsmtls::keys {

// The property that all of our algorithms have, whichever name the provider was loaded by: so that our
// own fetches can leave them out (token/public_half.hpp).
#define HSMTLS_OURS "provider=hsmtls"
inline constexpr const char* ours = HSMTLS_OURS;

// A key management that exists to be fetched: where it is not found by its name alone, default
// properties hide all that is ours.
inline constexpr const char* probe_name = "HSMTLS-PROBE";

const OSSL_ALGORITHM* key_managements();
const OSSL_ALGORITHM* signatures();
const OSSL_ALGORITHM* decoders();
const OSSL_ALGORITHM* encoders();
const OSSL_ALGORITHM* stores();

}  // namespace hsmtls::keys
