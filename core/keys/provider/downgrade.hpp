// The legacy half of a key that a program made of a reference PEM.
#pragma once

#include <openssl/core.h>

namespace hsmtls::keys {

// Programs that were written for OpenSSL 1.1 look at a key through its legacy half (EVP_PKEY_get0_RSA
// and the like), and Node.js up to 22 crashes where there is none. libcrypto makes it by an export of
// everything to a function of its own. That function alone is answered, with the public half: an
// export to anybody else goes on failing, so that libcrypto signs with our signatures.
//
// `learn_downgrades` finds out which functions these are; where this OpenSSL has none, nothing is
// learnt. `is_downgrade` says whether an export goes to one of them; any thread.
void learn_downgrades();
[[nodiscard]] bool is_downgrade(OSSL_CALLBACK* callback);

}  // namespace hsmtls::keys
