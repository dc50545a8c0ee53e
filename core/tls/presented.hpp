// The identity that an SSL_CTX presents to its peers.
#pragma once

#include "core/keys/identity/identity.hpp"

namespace hsmtls::tls {

// `present` puts key, leaf and chain of an identity into a context of the libssl in use, and nothing
// else. In place of those of the same kind of key; a context that has one of another kind is refused,
// since OpenSSL would go on presenting that one to some peers. Throws failure.
void present(keys::identity& identity, SSL_CTX* ssl_ctx);

}  // namespace hsmtls::tls
