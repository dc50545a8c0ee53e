#include <cerrno>
#include <optional>

#include "bindings/c/guard.hpp"
#include "bindings/c/handles.hpp"
#include "core/tls/context.hpp"
#include "core/tls/explain/explain.hpp"
#include "core/tls/presented.hpp"
#include "core/tls/resumption.hpp"
#include "core/tls/same_openssl.hpp"
#include "hsmtls/hsmtls_openssl.h"

using namespace hsmtls;
using namespace hsmtls::c;

namespace {

constexpr uint32_t known_flags = HSMTLS_TLS_HOST_CHECKED_BY_CALLER | HSMTLS_TLS_NO_RESUMPTION |
                                 HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS;

tls::trust_source source_of(const hsmtls_trust* trust) {
  if (trust == nullptr) return {};
  const hsmtls_trust given = known(*trust, "options.trust");
  return {given.system != 0, text(given.file), text(given.text), text(given.folder)};
}

tls::context_options options_of(const hsmtls_tls_options& options) {
  const hsmtls_tls_options given = known(options, "options");
  if (given.role > HSMTLS_SERVER) {
    throw failure(HSMTLS_BAD_ARGUMENT, "options.role is no hsmtls_role");
  }
  if ((given.flags & ~known_flags) != 0 || given.reserved != 0) {
    throw failure(HSMTLS_BAD_ARGUMENT,
                  "options has a flag or field that this version of hsmtls does not know");
  }
  tls::context_options made;
  made.server = given.role == HSMTLS_SERVER;
  made.server_name = text(given.server_name);
  made.trusted = source_of(given.trust);
  made.alpn = text(given.alpn);
  made.min_version = given.min_version;
  made.max_version = given.max_version;
  made.host_checked_by_caller = (given.flags & HSMTLS_TLS_HOST_CHECKED_BY_CALLER) != 0;
  made.no_resumption = (given.flags & HSMTLS_TLS_NO_RESUMPTION) != 0;
  made.client_may_be_anonymous = (given.flags & HSMTLS_TLS_CLIENT_MAY_BE_ANONYMOUS) != 0;
  return made;
}

}  // namespace

int32_t hsmtls_openssl_bind_ssl_ctx(const struct ssl_ctx_st* ssl_ctx, hsmtls_error** out_error) {
  return guard(out_error, [&] { tls::bind_to_maker_of(ssl_ctx); });
}

int32_t hsmtls_same_openssl(const struct ssl_ctx_st* ssl_ctx, hsmtls_error** out_error) {
  return guard(out_error, [&] { tls::check_same_openssl(ssl_ctx); });
}

int32_t hsmtls_identity_apply(hsmtls_identity* identity,
                              struct ssl_ctx_st* ssl_ctx,
                              hsmtls_error** out_error) {
  return guard(out_error, [&] {
    keys::identity& open = *needed(identity, "identity").open;
    tls::check_same_openssl(ssl_ctx);
    tls::present(open, ssl_ctx);
  });
}

int32_t hsmtls_identity_make_ssl_ctx(hsmtls_identity* identity,
                                     const hsmtls_tls_options* options,
                                     struct ssl_ctx_st** out_ssl_ctx,
                                     hsmtls_error** out_error) {
  return guard(out_error, [&] {
    SSL_CTX*& out = needed(out_ssl_ctx, "out_ssl_ctx");
    const tls::context_options given = options_of(needed(options, "options"));
    out = tls::make_context(identity != nullptr ? identity->open.get() : nullptr, given).release();
  });
}

int32_t hsmtls_ssl_ctx_reload_trust(struct ssl_ctx_st* ssl_ctx, hsmtls_error** out_error) {
  return guard(out_error, [&] {
    tls::check_same_openssl(ssl_ctx);
    tls::reload_trust(ssl_ctx);
  });
}

int32_t hsmtls_ssl_resume(struct ssl_st* ssl, hsmtls_error** out_error) {
  return guard(out_error, [&] {
    tls::check_same_openssl(ssl);
    tls::offer_session(ssl);
  });
}

int32_t hsmtls_ssl_explain(struct ssl_st* ssl, int32_t result, hsmtls_error** out_error) {
  // Before anything here can change it.
  const int system_error = errno;
  return guard(out_error, [&] {
    tls::check_same_openssl(ssl);
    errno = system_error;
    if (std::optional<failure> why = tls::explain(ssl, result)) throw *std::move(why);
  });
}
