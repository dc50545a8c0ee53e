// Keys by libp11's stock engine (libengine-pkcs11-openssl).
#pragma once

#include "tests/bench/core/key.hpp"

namespace hsmtls::bench {

// `engine_key` loads a key with ENGINE_load_private_key. The engine stays for the life of the process.
// Throws std::runtime_error, also where the engine is not installed.
test::evp_key engine_key(const key_place& place);

}  // namespace hsmtls::bench
