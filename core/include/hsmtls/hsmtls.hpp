// hsmtls in C++17: mutual TLS with a private key that stays in an HSM or TPM.
//
//   hsmtls::identity_options options;
//   options.key = "pkcs11:token=edge;object=device-key";
//   options.login.pin_source = "file:/etc/edge/pin";
//   const auto device = hsmtls::identity::open(options);
//
// Header-only on top of the C face of libhsmtls.so (hsmtls.h, where the rules are): no C++ type
// crosses the library's border. What deals in OpenSSL's types is in openssl.hpp. A function may be
// called from any thread, and from several at once.
#pragma once

#include "hsmtls/error.hpp"
#include "hsmtls/identity.hpp"
#include "hsmtls/login.hpp"
#include "hsmtls/reference.hpp"
#include "hsmtls/tokens.hpp"

namespace hsmtls {

// `library_version` returns "0.1.0" and the like, of the library that was loaded.
inline const char* library_version() noexcept {
  return hsmtls_version();
}

}  // namespace hsmtls
