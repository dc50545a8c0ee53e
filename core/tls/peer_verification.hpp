// Verifying a peer by a trust that can be replaced while handshakes run.
#pragma once

#include "core/tls/context_state.hpp"

namespace hsmtls::tls {

// `verify_by_state` makes a context verify its peers by the trust that its state has when the peer's
// certificate arrives: an X509_STORE cannot be taken from an SSL_CTX in use, nor a certificate from
// an X509_STORE. Everything else of the verification is OpenSSL's. `state` is the context's own.
void verify_by_state(SSL_CTX* ssl_ctx, context_state& state);

}  // namespace hsmtls::tls
