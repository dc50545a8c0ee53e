#include "core/tls/peer_verification.hpp"

#include <exception>

namespace hsmtls::tls {
namespace {

using host::crypto;
using host::ssl;

// As libssl does it (ssl_verify_cert_chain), with another store. What came of it is left where libssl
// looks for it: in `outer`.
int verify_with(X509_STORE* store, X509_STORE_CTX* outer, SSL* connection) {
  const host::x509_store_ctx inner(crypto().X509_STORE_CTX_new());
  if (!inner || crypto().X509_STORE_CTX_init(inner.get(),
                                             store,
                                             crypto().X509_STORE_CTX_get0_cert(outer),
                                             crypto().X509_STORE_CTX_get0_untrusted(outer)) != 1) {
    crypto().X509_STORE_CTX_set_error(outer, X509_V_ERR_OUT_OF_MEM);
    return 0;
  }
  X509_VERIFY_PARAM* const parameters = crypto().X509_STORE_CTX_get0_param(inner.get());
  const int connection_index = ssl().SSL_get_ex_data_X509_STORE_CTX_idx();
  if (crypto().X509_VERIFY_PARAM_set1(parameters, crypto().X509_STORE_CTX_get0_param(outer)) != 1 ||
      crypto().X509_STORE_CTX_set_ex_data(inner.get(), connection_index, connection) != 1) {
    crypto().X509_STORE_CTX_set_error(outer, X509_V_ERR_OUT_OF_MEM);
    return 0;
  }
  crypto().X509_STORE_CTX_set_verify_cb(inner.get(), crypto().X509_STORE_CTX_get_verify_cb(outer));
  crypto().X509_STORE_CTX_set0_dane(inner.get(), ssl().SSL_get0_dane(connection));
  const int result = crypto().X509_verify_cert(inner.get());
  crypto().X509_STORE_CTX_set0_verified_chain(outer,
                                              crypto().X509_STORE_CTX_get1_chain(inner.get()));
  crypto().X509_STORE_CTX_set_error(outer, crypto().X509_STORE_CTX_get_error(inner.get()));
  crypto().X509_STORE_CTX_set_error_depth(outer,
                                          crypto().X509_STORE_CTX_get_error_depth(inner.get()));
  crypto().X509_STORE_CTX_set_current_cert(outer,
                                           crypto().X509_STORE_CTX_get_current_cert(inner.get()));
  crypto().X509_VERIFY_PARAM_move_peername(crypto().X509_STORE_CTX_get0_param(outer), parameters);
  return result > 0 ? 1 : 0;
}

const X509* anchor_of(const STACK_OF(X509) * chain) {
  const int length = chain != nullptr ? count(chain) : 0;
  return length > 0 ? item<const X509>(chain, length - 1) : nullptr;
}

int verify(X509_STORE_CTX* outer, void* argument) {
  const auto& state = *static_cast<const context_state*>(argument);
  auto* const connection = static_cast<SSL*>(
      crypto().X509_STORE_CTX_get_ex_data(outer, ssl().SSL_get_ex_data_X509_STORE_CTX_idx()));
  X509_STORE* const store = crypto().X509_STORE_CTX_get0_store(outer);
  // A store of the user's own, for this connection or the context, is left alone; so is a raw key.
  if (!state.is_first_store(store) || crypto().X509_STORE_CTX_get0_cert(outer) == nullptr) {
    return crypto().X509_verify_cert(outer) > 0 ? 1 : 0;
  }
  const std::shared_ptr<const trust> snapshot = state.trusted();
  // The first one may have been added to by the context's user (SSL_CTX_load_verify_locations).
  const int result = snapshot->store.get() == store
                         ? crypto().X509_verify_cert(outer)
                         : verify_with(snapshot->store.get(), outer, connection);
  try {
    const bool by_trust_alone =
        result > 0 && is_left_to_trust(connection, state) &&
        snapshot->holds(anchor_of(crypto().X509_STORE_CTX_get0_chain(outer)));
    note_verified_by(connection, by_trust_alone ? snapshot : nullptr);
  } catch (const std::exception&) {  // not resumed, then
  }
  return result > 0 ? 1 : 0;
}

}  // namespace

bool is_left_to_trust(const SSL* connection, const context_state& state) {
  X509_STORE* const store = ssl().SSL_CTX_get_cert_store(ssl().SSL_get_SSL_CTX(connection));
  X509_STORE* own_store = nullptr;
  ssl().SSL_ctrl(const_cast<SSL*>(connection),
                 SSL_CTRL_GET_VERIFY_CERT_STORE,
                 0,
                 static_cast<void*>(&own_store));
  return state.is_first_store(store) && own_store == nullptr &&
         ssl().SSL_get_verify_callback(connection) == nullptr &&
         crypto().X509_STORE_get_verify_cb(store) == nullptr;
}

std::string rules_of(SSL* connection) {
  const SSL_CTX* const context = ssl().SSL_get_SSL_CTX(connection);
  std::string rules;
  for (const X509_VERIFY_PARAM* const one :
       {ssl().SSL_get0_param(connection),
        crypto().X509_STORE_get0_param(ssl().SSL_CTX_get_cert_store(context))}) {
    for (const long long number :
         {static_cast<long long>(
              crypto().X509_VERIFY_PARAM_get_flags(const_cast<X509_VERIFY_PARAM*>(one))),
          static_cast<long long>(crypto().X509_VERIFY_PARAM_get_hostflags(one)),
          static_cast<long long>(crypto().X509_VERIFY_PARAM_get_depth(one)),
          static_cast<long long>(crypto().X509_VERIFY_PARAM_get_auth_level(one))}) {
      rules.append(std::to_string(number)).push_back(' ');
    }
  }
  return rules;
}

void verify_by_state(SSL_CTX* ssl_ctx, context_state& state) {
  ssl().SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, &state);
}

}  // namespace hsmtls::tls
