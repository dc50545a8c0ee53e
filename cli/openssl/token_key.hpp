// An identity's key as a key of OpenSSL.
#pragma once

#include "cli/library/identity.hpp"
#include "cli/openssl/handles.hpp"

namespace hsmtls::cli {

pkey token_key(const identity& from);

// `throw_last_error` throws what went wrong last inside the token, which OpenSSL hides; else returns.
void throw_last_error(const identity& from);

}  // namespace hsmtls::cli
