#include "core/tls/resumption.hpp"

#include <cstring>
#include <exception>

#include "core/tls/peer_verification.hpp"

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
  out.rules = rules_of(connection);
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

// The name that a client asks for, while libssl has not come to it yet (RFC 6066 section 3: of the
// names that were meant to be possible there is only this kind, once).
std::string asked_for(SSL* connection) {
  const unsigned char* extension = nullptr;
  size_t length = 0;
  if (ssl().SSL_client_hello_get0_ext(connection, TLSEXT_TYPE_server_name, &extension, &length) !=
      1) {
    return "";
  }
  constexpr size_t head = 5;  // the list's length, the kind, the name's length
  return length > head ? std::string(extension + head, extension + length) : "";
}

// What a ticket must have been made with: this identity, this trust, these rules, this name. (libssl
// takes a ticket before it asks which context that name is for.)
digest mark_of(SSL* connection, const trust& by, const std::string& name) {
  std::string all;
  const auto add = [&](const digest& one) { all.append(one.begin(), one.end()); };
  add(digest_of(ssl().SSL_get_certificate(connection)));
  add(by.stamp);
  add(digest_of(rules_of(connection)));
  return digest_of(all + name);
}

int make_ticket(SSL* connection, void* argument) {
  const host::error_mark errors;
  try {
    // One that was taken has its mark already.
    if (ssl().SSL_session_reused(connection) == 1) return 1;
    const auto& state = *static_cast<const context_state*>(argument);
    std::shared_ptr<const trust> by = verified_by(connection);
    const bool anonymous = ssl().SSL_get0_peer_certificate(connection) == nullptr;
    if (anonymous) by = state.trusted();  // there was nothing to verify
    if (!by) return 1;                    // without a mark it is taken by nobody
    const char* const name = ssl().SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    const digest mark = mark_of(connection, *by, name != nullptr ? name : "");
    return ssl().SSL_SESSION_set1_ticket_appdata(
        ssl().SSL_get_session(connection), mark.data(), mark.size());
  } catch (const std::exception&) {
    return 0;
  }
}

bool may_resume(SSL* connection, SSL_SESSION* session, const context_state& state) {
  const std::shared_ptr<keys::token_key> key = state.key();
  if ((key && key->is_closed()) || !is_left_to_trust(connection, state)) return false;
  std::shared_ptr<const trust> now = state.trusted();
  const digest wanted = mark_of(connection, *now, asked_for(connection));
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
  if (state == nullptr || !state->resumes || ssl().SSL_is_server(connection) == 1 ||
      !is_left_to_trust(connection, *state)) {
    return;
  }
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
