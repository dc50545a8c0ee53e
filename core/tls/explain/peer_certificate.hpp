// Why a peer's certificate was not accepted.
#pragma once

#include <openssl/ssl.h>

#include "core/keys/failure.hpp"

namespace hsmtls::tls {

// `refused_certificate` says what the verification of this connection's peer came to, whose result is
// not X509_V_OK.
failure refused_certificate(const SSL* connection);

}  // namespace hsmtls::tls
