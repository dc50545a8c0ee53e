// What OpenSSL prints for our codes on its error queue.
#pragma once

#include <openssl/core.h>

namespace hsmtls::keys {

// `reason_strings` returns one row for each code of error_codes.def.
const OSSL_ITEM* reason_strings();

}  // namespace hsmtls::keys
