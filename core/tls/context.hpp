// SSL_CTXs that are ready for use.
#pragma once

#include <string>

#include "core/keys/identity/identity.hpp"
#include "core/tls/trust.hpp"

namespace hsmtls::tls {

struct context_options {
  bool server = false;
  std::string server_name;  // clients
  trust_source trusted;
  std::string alpn;
  uint32_t min_version = 0;  // 0: TLS 1.2
  uint32_t max_version = 0;  // 0: the newest
  bool host_checked_by_caller = false;
  bool no_resumption = false;
  bool client_may_be_anonymous = false;
};

// `make_context` makes a context with this identity, or without one (null). Throws failure.
host::ssl_ctx make_context(keys::identity* identity, const context_options& options);

// `reload_trust` reads the trust of a context that `make_context` made again. Throws failure
// (BAD_ARGUMENT, TRUST_UNUSABLE).
void reload_trust(SSL_CTX* ssl_ctx);

}  // namespace hsmtls::tls
