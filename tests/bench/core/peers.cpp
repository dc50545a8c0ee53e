#include "tests/bench/core/peers.hpp"

#include <stdexcept>

namespace hsmtls::bench {
namespace {

constexpr const char* host = "broker.example";

}  // namespace

int version_named(const std::string& name) {
  if (name == "1.2") return TLS1_2_VERSION;
  if (name == "1.3") return TLS1_3_VERSION;
  throw std::invalid_argument("unknown version: " + name);
}

peers::peers(const std::string& kind, const key_place& place)
    : key_(key_of(kind, place)),
      certificate_(issue(key_.key.get())),
      peer_certificate_(issue(peer_key_.get())) {
  if (kind == "provider")
    identity_ = test::opened(place.uri(), place.where.pin, test::pem_of(certificate_.get()));
}

test::x509 peers::issue(EVP_PKEY* key) const {
  test::certificate_words words;
  words.names = {std::string("DNS:") + host};
  return ca_.issue(key, words);
}

test::ssl_ctx peers::measured(hsmtls_role role) const {
  if (!identity_)
    return test::plain_context(role, key_.key.get(), {certificate_.get()}, {ca_.certificate()});
  test::context_options options{.role = role, .trust = ca_.pem()};
  if (role == HSMTLS_CLIENT) options.server_name = host;
  return test::context_of(identity_.get(), options);
}

peers::pair peers::contexts(hsmtls_role role, int version) const {
  const hsmtls_role other = role == HSMTLS_CLIENT ? HSMTLS_SERVER : HSMTLS_CLIENT;
  test::ssl_ctx mine = measured(role);
  test::ssl_ctx theirs =
      test::plain_context(other, peer_key_.get(), {peer_certificate_.get()}, {ca_.certificate()});
  SSL_CTX_set_min_proto_version(theirs.get(), version);
  SSL_CTX_set_max_proto_version(theirs.get(), version);
  if (role == HSMTLS_SERVER) std::swap(mine, theirs);
  return {std::move(mine), std::move(theirs), identity_ && role == HSMTLS_CLIENT};
}

void shake_hands(const peers::pair& contexts, bool resumes, test::ssl_session& session) {
  test::connection both(contexts.client.get(), contexts.server.get());
  if (resumes && contexts.is_ours) {
    if (hsmtls_ssl_resume(both.client(), nullptr) != HSMTLS_OK)
      throw std::runtime_error("hsmtls_ssl_resume failed");
  } else if (resumes) {
    SSL_set_session(both.client(), session.get());
  }
  both.run();
  if (!both.fine())
    throw std::runtime_error("a handshake failed: " + both.client_says().message +
                             both.server_says().message);
  if (both.resumed() != resumes)
    throw std::runtime_error(resumes ? "a session was not resumed" : "a session was resumed");
  if (!contexts.is_ours) session.reset(SSL_get1_session(both.client()));
  // libssl holds a connection that ends without a word against its session.
  SSL_shutdown(both.client());
  SSL_shutdown(both.server());
}

}  // namespace hsmtls::bench
