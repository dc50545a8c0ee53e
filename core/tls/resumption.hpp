// Which sessions are resumed, as a client and as a server.
#pragma once

#include "core/tls/context_state.hpp"

namespace hsmtls::tls {

// Sessions of clients go to the cache of the identity; those of servers to tickets (RFC 5077, RFC 8446
// section 4.6.1), which name the identity and the trust that they were made with. `state` is the
// context's own.
void resume_as_client(SSL_CTX* ssl_ctx);
void resume_as_server(SSL_CTX* ssl_ctx, context_state& state);
void never_resume(SSL_CTX* ssl_ctx);

// `offer_session` lets an SSL that has not begun resume what it may, if there is anything.
void offer_session(SSL* ssl);
// `forget_session` drops what a connection offered whose handshake failed: a server that takes offence
// at a session would do so for ever.
void forget_session(SSL* ssl);

}  // namespace hsmtls::tls
