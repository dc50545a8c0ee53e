// Why a handshake, a read or a write failed.
#pragma once

#include <openssl/ssl.h>

#include <optional>

#include "core/keys/failure.hpp"

namespace hsmtls::tls {

// `explain` makes a failure of what OpenSSL left behind on this thread, whose error queue it empties.
// Nothing: it did not fail, or has only to be called again (SSL_ERROR_WANT_READ and the like).
std::optional<failure> explain(SSL* connection, int result);

}  // namespace hsmtls::tls
