// hsmtls where it meets OpenSSL, in C++17: identities for an SSL_CTX.
//
//   const auto context = device.make_ssl_ctx(options);   // ready for SSL_new(context.get())
//   device.apply(an_ssl_ctx_of_your_own);                // key, leaf and chain; nothing else changes
//
// Whoever includes this links OpenSSL 3, and that copy is the one that hsmtls uses: before anything
// else that needs one, this header says so (hsmtls_openssl_bind). Another copy in the same process is
// refused with errc::openssl_foreign.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "hsmtls/hsmtls.hpp"
#include "hsmtls/hsmtls_openssl.h"

namespace hsmtls {

struct ssl_ctx_freed {
  void operator()(SSL_CTX* one) const noexcept { SSL_CTX_free(one); }
};
struct evp_pkey_freed {
  void operator()(EVP_PKEY* one) const noexcept { EVP_PKEY_free(one); }
};
using ssl_ctx_ptr = std::unique_ptr<SSL_CTX, ssl_ctx_freed>;
using evp_pkey_ptr = std::unique_ptr<EVP_PKEY, evp_pkey_freed>;

enum class key_kind {
  // Ours, in a library context of its own: for nearly all.
  provider = HSMTLS_KEY_PROVIDER,
  // That, with a legacy half for who asks EVP_PKEY_get0_RSA and the like: azure-iot-sdk-c. Checks
  // itself when made; where OpenSSL cannot do it, a method key comes instead.
  hybrid = HSMTLS_KEY_HYBRID,
  // By libp11, which must be installed: a legacy key.
  method = HSMTLS_KEY_METHOD,
};

enum class role { client = HSMTLS_CLIENT, server = HSMTLS_SERVER };

enum class tls_version { tls_1_2 = 0x0303, tls_1_3 = 0x0304 };

// Where trusted certificates come from; all that is set counts together, so an old and a new root may
// be trusted side by side. None set: the system's.
struct trust {
  bool system = false;  // the system's, too (SSL_CTX_set_default_verify_paths(3))
  std::string file;     // PEM
  std::string text;     // PEM
  std::string folder;   // of PEM files, each named *.pem or *.crt
};

struct tls_options {
  hsmtls::role role = hsmtls::role::client;
  // Client: the host name or address that the peer's certificate must be for. Sending it (SNI) is the
  // connection's business: SSL_set_tlsext_host_name(3).
  std::string server_name{};
  hsmtls::trust trust{};
  std::string alpn{};  // names separated by ',', most wanted first; empty: none
  tls_version min_version = tls_version::tls_1_2;
  std::optional<tls_version> max_version{};  // none: the newest
  bool host_checked_by_caller = false;       // client without server_name: the caller checks it
  bool no_resumption = false;                // every handshake is a full one, and signs
  bool client_may_be_anonymous = false;      // server: a peer without certificate is let in
};

// Hidden functions: each shared object of a program calls its own, and so means its own OpenSSL.
#pragma GCC visibility push(hidden)

namespace detail {

inline std::int32_t bind_includer(hsmtls_error** out_error) {
  return hsmtls_openssl_bind(TLS_method(), EVP_sha256(), out_error);
}
inline const bool said_which_openssl = [] {
  say_which_openssl.store(&bind_includer);
  return true;
}();

inline bool has_own_openssl(diagnostics& problem) {
  problem = call(&bind_includer);
  return !problem;
}

}  // namespace detail

// `openssl_in_use` returns which copy is in use: "OpenSSL 3.0.15 (/usr/lib/…/libcrypto.so.3,
// /usr/lib/…/libssl.so.3)"; "" as long as none is.
inline const char* openssl_in_use() noexcept {
  return hsmtls_openssl_where();
}

// `apply` makes an SSL_CTX present this identity: key, leaf, chain. Nothing else in it changes. Fails
// with errc::openssl_foreign where the context is another copy's.
inline void identity::apply(SSL_CTX* ssl_ctx, diagnostics& problem) const {
  if (detail::has_own_openssl(problem))
    problem = detail::call(&hsmtls_identity_apply, shared_.get(), ssl_ctx);
}
inline void identity::apply(SSL_CTX* ssl_ctx) const {
  detail::thrown_by([&](diagnostics& problem) { apply(ssl_ctx, problem); });
}

namespace detail {

inline ssl_ctx_ptr make_ssl_ctx(hsmtls_identity* one,
                                const tls_options& options,
                                diagnostics& problem) {
  if (!has_own_openssl(problem)) return nullptr;
  hsmtls_trust trusted{};
  trusted.struct_size = sizeof trusted;
  trusted.system = options.trust.system ? 1 : 0;
  trusted.file = given(options.trust.file);
  trusted.text = given(options.trust.text);
  trusted.folder = given(options.trust.folder);
  hsmtls_tls_options wanted{};
  wanted.struct_size = sizeof wanted;
  wanted.role = static_cast<std::uint32_t>(options.role);
  wanted.server_name = given(options.server_name);
  wanted.trust = &trusted;
  wanted.alpn = given(options.alpn);
  wanted.min_version = static_cast<std::uint32_t>(options.min_version);
  wanted.max_version = options.max_version ? static_cast<std::uint32_t>(*options.max_version) : 0U;
  wanted.flags = (options.host_checked_by_caller ? HSMTLS_TLS_HOST_CHECKED_BY_CALLER : 0U) |
                 (options.no_resumption ? HSMTLS_TLS_NO_RESUMPTION : 0U) |
                 (options.client_may_be_anonymous ? HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS : 0U);
  SSL_CTX* made = nullptr;
  problem = call(&hsmtls_identity_make_ssl_ctx, one, &wanted, &made);
  return ssl_ctx_ptr(made);
}

}  // namespace detail

// `make_ssl_ctx` makes an SSL_CTX ready for use: this identity, the peer and its name verified, TLS
// 1.2 or newer, resumption only ever as this identity to the same name with the same trust and ALPN.
// Of an identity that is none: errc::bad_argument; a context without one comes from
// make_ssl_ctx_without_identity. Its ex_data 0 and its password callback's data stay empty.
inline ssl_ctx_ptr identity::make_ssl_ctx(const tls_options& options, diagnostics& problem) const {
  if (shared_ == nullptr) {
    problem = diagnostics(HSMTLS_BAD_ARGUMENT, nullptr);
    return nullptr;
  }
  return detail::make_ssl_ctx(shared_.get(), options, problem);
}
inline ssl_ctx_ptr identity::make_ssl_ctx(const tls_options& options) const {
  return detail::thrown_by([&](diagnostics& problem) { return make_ssl_ctx(options, problem); });
}
inline ssl_ctx_ptr make_ssl_ctx_without_identity(const tls_options& options, diagnostics& problem) {
  return detail::make_ssl_ctx(nullptr, options, problem);
}
inline ssl_ctx_ptr make_ssl_ctx_without_identity(const tls_options& options) {
  return detail::thrown_by(
      [&](diagnostics& problem) { return make_ssl_ctx_without_identity(options, problem); });
}

// `evp_pkey` gives an EVP_PKEY that signs in the token. Its private half cannot be exported.
inline evp_pkey_ptr identity::evp_pkey(key_kind kind, diagnostics& problem) const {
  if (!detail::has_own_openssl(problem)) return nullptr;
  EVP_PKEY* made = nullptr;
  problem = detail::call(
      &hsmtls_identity_evp_pkey, shared_.get(), static_cast<std::uint32_t>(kind), &made);
  return evp_pkey_ptr(made);
}
inline evp_pkey_ptr identity::evp_pkey(key_kind kind) const {
  return detail::thrown_by([&](diagnostics& problem) { return evp_pkey(kind, problem); });
}

// `reload_trust` reads the trust of a context that make_ssl_ctx made again from where it came.
// Handshakes that begin afterwards go by it; where it cannot be read, the old one stays and it fails
// with errc::trust_unusable.
inline void reload_trust(SSL_CTX* ssl_ctx, diagnostics& problem) {
  problem = detail::call(&hsmtls_ssl_ctx_reload_trust, ssl_ctx);
}
inline void reload_trust(SSL_CTX* ssl_ctx) {
  detail::thrown_by([&](diagnostics& problem) { reload_trust(ssl_ctx, problem); });
}

// `resume` offers the peer of an SSL that has not begun its handshake the session that was had last
// with a context like its own. For clients of contexts that make_ssl_ctx made; without one to offer it
// does nothing.
inline void resume(SSL* ssl, diagnostics& problem) {
  problem = detail::call(&hsmtls_ssl_resume, ssl);
}
inline void resume(SSL* ssl) {
  detail::thrown_by([&](diagnostics& problem) { resume(ssl, problem); });
}

// `explain` says why a handshake, read or write failed: call it at once, on the same thread, with what
// SSL_connect and the like returned. It empties the thread's OpenSSL error queue.
inline diagnostics explain(SSL* ssl, int result) {
  return detail::call(&hsmtls_ssl_explain, ssl, static_cast<std::int32_t>(result));
}

#pragma GCC visibility pop

}  // namespace hsmtls
