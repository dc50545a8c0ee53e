// Whose an object of libssl is: proved by identity, without calling anything with it.
#pragma once

#include <openssl/ssl.h>

namespace hsmtls::tls {

// `bind_to_maker_of` makes the libssl that made an SSL_CTX the one in use. Throws failure: as host::bind;
// OPENSSL_FOREIGN where no library made it; BAD_ARGUMENT where the pointer is null or points to nothing.
void bind_to_maker_of(const SSL_CTX* ssl_ctx);

// `check_same_openssl` throws failure (OPENSSL_FOREIGN, which names both files) unless an SSL_CTX, or an
// SSL, was made by the libssl in use; BAD_ARGUMENT where the pointer is null or points to nothing.
void check_same_openssl(const SSL_CTX* ssl_ctx);
void check_same_openssl(const SSL* ssl);

}  // namespace hsmtls::tls
