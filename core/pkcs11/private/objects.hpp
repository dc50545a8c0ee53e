// Listing, making and removing what is in a token.
#pragma once

#include "core/pkcs11/private/key.hpp"

namespace hsmtls::pkcs11 {

// All throw failure. `user` is handed to `each`.
void list_tokens(hsmtls_p11_token_fn each, void* user, time_point until);
void list_objects(const char* uri_text,
                  const hsmtls_p11_login* login,
                  hsmtls_p11_object_fn each,
                  void* user,
                  time_point until);
void list_certificates(key& of, hsmtls_p11_object_fn each, void* user, time_point until);
void import_certificate(const char* uri_text,
                        const hsmtls_p11_certificate& certificate,
                        const hsmtls_p11_login* login,
                        time_point until);
void remove_object(const char* uri_text, const hsmtls_p11_login* login, time_point until);

// `generate` makes a key pair and opens it. If only opening it fails, the key is in the token all
// the same.
std::shared_ptr<key> generate(const char* uri_text,
                              uint32_t kind,
                              uint32_t bits,
                              const hsmtls_p11_login* login,
                              time_point until);

}  // namespace hsmtls::pkcs11
