// Verifying a peer by a trust that can be replaced while handshakes run.
#pragma once

#include <string>

#include "core/tls/context_state.hpp"

namespace hsmtls::tls {

// `verify_by_state` makes a context verify its peers by the trust that its state has when the peer's
// certificate arrives: an X509_STORE cannot be taken from an SSL_CTX in use, nor a certificate from
// an X509_STORE. Everything else of the verification is OpenSSL's. `state` is the context's own.
void verify_by_state(SSL_CTX* ssl_ctx, context_state& state);

// Whether nothing but its context's trust decides about the peer of a connection: no store, no callback
// of the application's. (One that took the place of ours cannot be read back.)
bool is_left_to_trust(const SSL* connection, const context_state& state);

// `rules_of` returns what else the application may have changed of how the peer is verified (flags,
// depths): the same text for the same.
std::string rules_of(SSL* connection);

}  // namespace hsmtls::tls
