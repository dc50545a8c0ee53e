// Which OpenSSL this process' host uses, and its functions.
//
// libcrypto's half is found first, libssl's when somebody needs it: a provider may be loaded before
// there is any libssl. What was found first is for life; another copy is refused by name.
#pragma once

#include <span>
#include <string>

#include "core/keys/host/functions.hpp"

namespace hsmtls::host {

// The functions of the copy in use. Only after one of the functions below has succeeded.
const crypto_functions& crypto();
const ssl_functions& ssl();

// `bind` uses the copy that gave out `method` (TLS_method(); may be null) and `digest` (EVP_sha256();
// null: the libcrypto of that libssl). `bind_main` uses the one of the main program and what was
// loaded with it. `bind_core` uses the libcrypto that holds `dispatch`, a function of a provider's
// core. All throw failure: OPENSSL_UNUSABLE, OPENSSL_FOREIGN. Any thread.
void bind(const void* method, const void* digest);
void bind_main();
void bind_core(const void* dispatch);

// `need_crypto` and `need_ssl` see to it that the functions above may be called: where nothing is
// bound yet, by the one object that defines SSL_CTX_new, or libssl.so.3 where none does. Throw
// failure, also OPENSSL_AMBIGUOUS.
void need_crypto();
void need_ssl();

[[nodiscard]] bool is_bound();

// How an object of the libssl in use is known without calling anything with it: an SSL_CTX points to
// one of `ssl_methods`, the tables that TLS_method() and the like return; what else libssl makes
// points into its file. Only after `need_ssl`.
[[nodiscard]] std::span<const SSL_METHOD* const> ssl_methods();
[[nodiscard]] bool is_in_ssl(const void* address);

// `where` says which copy is in use: its version and its files; empty: none yet. Never freed.
const char* where();

}  // namespace hsmtls::host
