#include "core/tls/resumption.hpp"

#include <array>
#include <cstring>
#include <exception>

namespace hsmtls::tls {
namespace {

using host::crypto;
using host::ssl;

// Every name that a connection is bound to: by its context or by its user. "": none.
std::string names_of(SSL* connection) {
  std::string names;
  X509_VERIFY_PARAM* const parameters = ssl().SSL_get0_param(connection);
  for (int i = 0;; ++i) {
    const char* const host = crypto().X509_VERIFY_PARAM_get0_host(parameters, i);
    if (host == nullptr) break;
    names.append(host).push_back('\n');
  }
  const host::openssl_memory<char> address(crypto().X509_VERIFY_PARAM_get1_ip_asc(parameters));
  if (address) names.append(address.get()).push_back('\n');
  const char* const sent = ssl().SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (sent != nullptr) names.append("SNI ").append(sent);
  return names;
}

// Nothing for a connection to nobody in particular.
bool key_of(SSL* connection, const context_state& state, const trust& by, session_key& out) {
  out.names = names_of(connection);
  out.certificate = digest_of(ssl().SSL_get_certificate(connection));
  out.trust = by.stamp;
  out.alpn.assign(state.alpn.begin(), state.alpn.end());
  return !out.names.empty();
}

int keep_session(SSL* connection, SSL_SESSION* session) {
  constexpr int not_kept = 0;  // the cache has a copy
  // An error that a callback leaves behind is taken for one of the read or write that it ran in.
  const host::error_mark mark;
  try {
    const context_state* const state = context_state::of(connection);
    // One that its user resumed by itself, or verified in another way, is not ours to give out.
    const std::shared_ptr<const trust> by = verified_by(connection);
    session_key key;
    if (state != nullptr && by && ssl().SSL_get_verify_result(connection) == X509_V_OK &&
        (ssl().SSL_get_verify_mode(connection) & SSL_VERIFY_PEER) != 0 &&
        key_of(connection, *state, *by, key)) {
      state->sessions()->put(key, session);
    }
  } catch (const std::exception&) {  // a full handshake the next time
  }
  return not_kept;
}

// What a ticket must have been made with: this identity, this trust.
using ticket_mark = std::array<uint8_t, 2 * sizeof(digest)>;
ticket_mark mark_of(const SSL* connection, const trust& by) {
  ticket_mark made;
  const digest certificate = digest_of(ssl().SSL_get_certificate(connection));
  std::memcpy(made.data(), certificate.data(), certificate.size());
  std::memcpy(made.data() + certificate.size(), by.stamp.data(), by.stamp.size());
  return made;
}

int make_ticket(SSL* connection, void* argument) {
  const host::error_mark errors;
  try {
    const auto& state = *static_cast<const context_state*>(argument);
    std::shared_ptr<const trust> by = verified_by(connection);
    if (!by) by = state.trusted();  // a client without certificate: there was nothing to verify
    const ticket_mark mark = mark_of(connection, *by);
    return ssl().SSL_SESSION_set1_ticket_appdata(
        ssl().SSL_get_session(connection), mark.data(), mark.size());
  } catch (const std::exception&) {
    return 0;
  }
}

bool may_resume(SSL* connection, SSL_SESSION* session, const context_state& state) {
  const std::shared_ptr<keys::token_key> key = state.key();
  if (key && key->is_closed()) return false;
  std::shared_ptr<const trust> now = state.trusted();
  const ticket_mark wanted = mark_of(connection, *now);
  void* found = nullptr;
  size_t length = 0;
  if (ssl().SSL_SESSION_get0_ticket_appdata(session, &found, &length) != 1 ||
      length != wanted.size() || std::memcmp(found, wanted.data(), length) != 0) {
    return false;
  }
  note_verified_by(connection, std::move(now));
  return true;
}

SSL_TICKET_RETURN take_ticket(SSL* connection,
                              SSL_SESSION* session,
                              const unsigned char* /*name*/,
                              size_t /*name_len*/,
                              SSL_TICKET_STATUS status,
                              void* argument) {
  const host::error_mark errors;
  try {
    if ((status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW) &&
        may_resume(connection, session, *static_cast<const context_state*>(argument))) {
      return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
    }
  } catch (const std::exception&) {  // a full handshake, then
  }
  return SSL_TICKET_RETURN_IGNORE_RENEW;
}

void set_cache_mode(SSL_CTX* ssl_ctx, long mode) {
  ssl().SSL_CTX_ctrl(ssl_ctx, SSL_CTRL_SET_SESS_CACHE_MODE, mode, nullptr);
}

}  // namespace

void resume_as_client(SSL_CTX* ssl_ctx) {
  set_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  ssl().SSL_CTX_sess_set_new_cb(ssl_ctx, keep_session);
}

void resume_as_server(SSL_CTX* ssl_ctx, context_state& state) {
  // What libssl keeps by session number could not be taken back when the trust changes.
  set_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
  ssl().SSL_CTX_set_session_ticket_cb(ssl_ctx, make_ticket, take_ticket, &state);
}

void never_resume(SSL_CTX* ssl_ctx) {
  set_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
  ssl().SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TICKET);
  ssl().SSL_CTX_set_num_tickets(ssl_ctx, 0);
}

void offer_session(SSL* connection) {
  const host::error_mark mark;
  const context_state* const state = context_state::of(connection);
  if (state == nullptr || !state->resumes || ssl().SSL_is_server(connection) == 1) return;
  std::shared_ptr<const trust> by = state->trusted();
  session_key key;
  if (!by || !key_of(connection, *state, *by, key)) return;
  const host::ssl_session session = state->sessions()->take(key);
  if (!session) return;
  if (ssl().SSL_set_session(connection, session.get()) == 1) {
    note_verified_by(connection, std::move(by));
  }
}

void forget_session(SSL* connection) {
  const context_state* const state = context_state::of(connection);
  const std::shared_ptr<const trust> by = verified_by(connection);
  session_key key;
  if (state == nullptr || !state->resumes || !by || !key_of(connection, *state, *by, key)) return;
  state->sessions()->forget(key);
}

}  // namespace hsmtls::tls
