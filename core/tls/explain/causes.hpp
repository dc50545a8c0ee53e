// What OpenSSL's reasons and TLS's alerts mean to somebody who wants to connect: two tables.
#pragma once

#include <string>

#include <openssl/ssl.h>

#include "hsmtls/errors.h"

namespace hsmtls::tls {

struct cause {
  int number;
  hsmtls_error_code code;
  const char* sentence;
  // What this connection has to add; may be null.
  std::string (*details)(const SSL* connection) = nullptr;
};

// Whether this client was asked for a certificate: then it knows by what the peer would have it sign.
bool was_asked_for_certificate(const SSL* connection);

// Null: nothing special is known of it.
const cause* cause_of_reason(int reason);
const cause* cause_of_alert(int alert);  // one that the peer sent (RFC 8446 section 6)

}  // namespace hsmtls::tls
