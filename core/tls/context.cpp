#include "core/tls/context.hpp"

#include <algorithm>

#include "core/keys/failure.hpp"
#include "core/tls/alpn.hpp"
#include "core/tls/context_state.hpp"
#include "core/tls/peer_verification.hpp"
#include "core/tls/presented.hpp"
#include "core/tls/resumption.hpp"
#include "core/tls/server_name.hpp"

namespace hsmtls::tls {
namespace {

using host::crypto;
using host::ssl;

[[noreturn]] void refuse(const std::string& why) {
  throw failure(HSMTLS_BAD_ARGUMENT, why);
}

bool is_version(uint32_t one) {
  return one == TLS1_2_VERSION || one == TLS1_3_VERSION;
}

void check(const context_options& options) {
  if (!options.server && options.server_name.empty() && !options.host_checked_by_caller) {
    refuse(
        "a client needs options.server_name, the name that the server's certificate must be for: "
        "without it any server with a certificate of a trusted authority could answer. Where the "
        "caller checks the name itself (SSL_set1_host), it says so with "
        "HSMTLS_TLS_HOST_CHECKED_BY_CALLER");
  }
  if (options.server && !options.server_name.empty()) {
    refuse("options.server_name is for clients: a server checks no name");
  }
  for (const uint32_t one : {options.min_version, options.max_version}) {
    if (one != 0 && !is_version(one)) {
      refuse(
          "options.min_version and options.max_version are 0x0303 (TLS 1.2), 0x0304 (TLS 1.3) or "
          "0; nothing older is spoken");
    }
  }
}

// What the host's openssl.cnf (system_default) says stays where it is stricter.
void set_versions(SSL_CTX* ssl_ctx, const context_options& options) {
  const long configured_min =
      ssl().SSL_CTX_ctrl(ssl_ctx, SSL_CTRL_GET_MIN_PROTO_VERSION, 0, nullptr);
  const long configured_max =
      ssl().SSL_CTX_ctrl(ssl_ctx, SSL_CTRL_GET_MAX_PROTO_VERSION, 0, nullptr);
  const long least =
      std::max({long{TLS1_2_VERSION}, static_cast<long>(options.min_version), configured_min});
  long most = options.max_version;
  if (configured_max != 0) most = most == 0 ? configured_max : std::min(most, configured_max);
  if (most != 0 && most < least) {
    refuse(
        "options.min_version and options.max_version, together with the host's openssl.cnf "
        "(MinProtocol, MaxProtocol), leave no version of TLS");
  }
  if (ssl().SSL_CTX_ctrl(ssl_ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, least, nullptr) != 1 ||
      ssl().SSL_CTX_ctrl(ssl_ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, most, nullptr) != 1) {
    throw failure(HSMTLS_OPENSSL_UNUSABLE, "this OpenSSL does not speak the versions asked for");
  }
}

int select_protocol(SSL* /*connection*/,
                    const unsigned char** out,
                    unsigned char* out_len,
                    const unsigned char* offered,
                    unsigned int offered_len,
                    void* argument) {
  const auto& ours = static_cast<const context_state*>(argument)->alpn;
  unsigned char* chosen = nullptr;
  if (ssl().SSL_select_next_proto(&chosen,
                                  out_len,
                                  ours.data(),
                                  static_cast<unsigned int>(ours.size()),
                                  offered,
                                  offered_len) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 section 3.2
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void set_protocols(SSL_CTX* ssl_ctx, context_state& state, const context_options& options) {
  state.alpn = alpn_wire(options.alpn);
  if (state.alpn.empty()) return;
  if (options.server) {
    ssl().SSL_CTX_set_alpn_select_cb(ssl_ctx, select_protocol, &state);
  } else if (ssl().SSL_CTX_set_alpn_protos(
                 ssl_ctx, state.alpn.data(), static_cast<unsigned int>(state.alpn.size())) != 0) {
    throw failure(HSMTLS_NO_MEMORY, "no memory for the names of protocols");
  }
}

void trust_in(SSL_CTX* ssl_ctx, context_state& state, const trust_source& source) {
  std::shared_ptr<const trust> first = read_trust(source);
  crypto().X509_STORE_up_ref(first->store.get());
  ssl().SSL_CTX_set_cert_store(ssl_ctx, first->store.get());
  state.set_trust(source, std::move(first));
  verify_by_state(ssl_ctx, state);
}

// The names of those whose certificates are wanted, as they are trusted when the client arrives.
int name_authorities(SSL* connection, void* argument) {
  const std::shared_ptr<const trust> now = static_cast<const context_state*>(argument)->trusted();
  auto* const names = reinterpret_cast<STACK_OF(X509_NAME)*>(crypto().OPENSSL_sk_new_null());
  if (names == nullptr) return 0;
  for (const x509_name& one : now->names) {
    x509_name copy(crypto().X509_NAME_dup(one.get()));
    if (copy && push(names, copy.get())) (void)copy.release();
  }
  ssl().SSL_set_client_CA_list(connection, names);
  return 1;
}

void set_server(SSL_CTX* ssl_ctx, context_state& state, const context_options& options) {
  ssl().SSL_CTX_set_verify(
      ssl_ctx,
      SSL_VERIFY_PEER | (options.client_may_be_anonymous ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT),
      nullptr);
  ssl().SSL_CTX_set_cert_cb(ssl_ctx, name_authorities, &state);
  std::string who;
  const auto add = [&](const digest& one) { who.append(one.begin(), one.end()); };
  add(digest_of(ssl().SSL_CTX_get0_certificate(ssl_ctx)));
  add(state.trusted()->stamp);
  add(digest_of(state.alpn));
  const digest sessions = digest_of(who);
  ssl().SSL_CTX_set_session_id_context(ssl_ctx, sessions.data(), sessions.size());
  if (options.no_resumption) {
    never_resume(ssl_ctx);
  } else {
    resume_as_server(ssl_ctx, state);
  }
}

void set_client(SSL_CTX* ssl_ctx, context_state& state, const context_options& options) {
  ssl().SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, nullptr);
  if (!options.server_name.empty()) {
    demand_server_name(ssl().SSL_CTX_get0_param(ssl_ctx), options.server_name);
  }
  state.resumes = !options.no_resumption;
  if (options.no_resumption) {
    never_resume(ssl_ctx);
  } else {
    resume_as_client(ssl_ctx);
  }
}

}  // namespace

host::ssl_ctx make_context(keys::identity* identity, const context_options& options) {
  check(options);
  host::need_ssl();
  const host::error_mark mark;
  host::ssl_ctx made(
      ssl().SSL_CTX_new(options.server ? ssl().TLS_server_method() : ssl().TLS_client_method()));
  if (!made) {
    const unsigned long why = crypto().ERR_peek_last_error();
    const char* const reason = crypto().ERR_reason_error_string(why);
    throw failure(HSMTLS_OPENSSL_UNUSABLE,
                  "OpenSSL cannot make an SSL context: see its configuration (openssl.cnf)")
        .because(why, reason != nullptr ? reason : "");
  }
  SSL_CTX* const ssl_ctx = made.get();
  context_state& state = context_state::attach(ssl_ctx);
  set_versions(ssl_ctx, options);
  ssl().SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION);
  set_protocols(ssl_ctx, state, options);
  trust_in(ssl_ctx, state, options.trusted);
  if (identity != nullptr) {
    present(*identity, ssl_ctx);
  } else {
    state.present(nullptr);
  }
  if (options.server) {
    set_server(ssl_ctx, state, options);
  } else {
    set_client(ssl_ctx, state, options);
  }
  return made;
}

void reload_trust(SSL_CTX* ssl_ctx) {
  context_state* const state = context_state::of(ssl_ctx);
  if (state == nullptr || !state->trusted()) {
    refuse(
        "the trust of this SSL context is not hsmtls's to reload: hsmtls_identity_make_ssl_ctx did "
        "not make it");
  }
  state->reload_trust();
}

}  // namespace hsmtls::tls
