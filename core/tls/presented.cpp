#include "core/tls/presented.hpp"

#include "core/keys/evp/handed_key.hpp"
#include "core/keys/identity/certificates.hpp"
#include "core/keys/provider/provider_key.hpp"
#include "core/tls/context_state.hpp"

namespace hsmtls::tls {
namespace {

using host::crypto;
using host::ssl;

void check_usable(const keys::identity& identity) {
  // Says so, where it is closed.
  identity.key()->with_token([](const hsmtls_p11_key*) {});
  if (identity.chain().empty()) {
    throw failure(HSMTLS_CERTIFICATE_NOT_FOUND,
                  "the identity with the key " + identity.key()->uri() +
                      " was opened without a certificate, and TLS needs one. Open it again with "
                      "its certificate");
  }
}

// A context's certificates are reached one after the other, each as its current one.
class current_certificate {
 public:
  explicit current_certificate(SSL_CTX* ssl_ctx)
      : ssl_ctx_(ssl_ctx), before_(ssl().SSL_CTX_get0_certificate(ssl_ctx)) {}
  ~current_certificate() {
    if (before_ == nullptr) return;
    ssl().SSL_CTX_ctrl(ssl_ctx_, SSL_CTRL_SELECT_CURRENT_CERT, 0, before_);
  }
  current_certificate(const current_certificate&) = delete;
  current_certificate& operator=(const current_certificate&) = delete;
  [[nodiscard]] bool move_to(long which) const {
    return ssl().SSL_CTX_ctrl(ssl_ctx_, SSL_CTRL_SET_CURRENT_CERT, which, nullptr) == 1;
  }

 private:
  SSL_CTX* ssl_ctx_;
  X509* before_;
};

// OpenSSL keeps a certificate for each kind of key and picks by what the peer supports.
void refuse_other_kinds(const keys::identity& identity, SSL_CTX* ssl_ctx) {
  const char* const ours = keys::name_of(identity.key()->type());
  const current_certificate at(ssl_ctx);
  for (bool more = at.move_to(SSL_CERT_SET_FIRST); more; more = at.move_to(SSL_CERT_SET_NEXT)) {
    const X509* const there = ssl().SSL_CTX_get0_certificate(ssl_ctx);
    const EVP_PKEY* const its_key = crypto().X509_get0_pubkey(there);
    if (its_key == nullptr || crypto().EVP_PKEY_is_a(its_key, ours) == 1) continue;
    throw failure(HSMTLS_BAD_ARGUMENT,
                  "this SSL context already has a certificate of another kind of key, " +
                      keys::name_of(there) + ", and the identity's key is " + identity.key_name() +
                      ": OpenSSL would present the one to some peers and the other to the rest. "
                      "Use a context that has none");
  }
}

[[noreturn]] void refuse(const keys::identity& identity, const SSL_CTX* ssl_ctx) {
  const unsigned long code = crypto().ERR_peek_last_error();
  const char* const reason = crypto().ERR_reason_error_string(code);
  const std::string level = "the security level " +
                            std::to_string(ssl().SSL_CTX_get_security_level(ssl_ctx)) +
                            " of this SSL context";
  const auto say = [&](hsmtls_error_code what, const std::string& why) {
    return failure(what, why).because(code, reason != nullptr ? reason : "");
  };
  if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    switch (ERR_GET_REASON(code)) {
      case SSL_R_EE_KEY_TOO_SMALL:
        throw say(HSMTLS_UNSUPPORTED,
                  "the identity's key, " + identity.key_name() + ", is too short for " + level +
                      ". Generate a longer one (hsmtls keygen), or lower the level for this "
                      "context (SECLEVEL in its cipher list)");
      case SSL_R_CA_KEY_TOO_SMALL:
      case SSL_R_CA_MD_TOO_WEAK:
        throw say(HSMTLS_UNSUPPORTED,
                  "a certificate of the identity, " +
                      keys::name_of(identity.chain().front().get()) +
                      " or one of its issuers, has a key or a signature that is too weak for " +
                      level + ". Have it issued again with a stronger one");
      default:
        break;
    }
  }
  throw say(HSMTLS_INTERNAL,
            "OpenSSL does not take the identity's certificate " +
                keys::name_of(identity.chain().front().get()) + " with its key");
}

}  // namespace

void present(keys::identity& identity, SSL_CTX* ssl_ctx) {
  check_usable(identity);
  const host::error_mark mark;
  refuse_other_kinds(identity, ssl_ctx);
  const host::pkey key = keys::provider_pkey(identity.key());
  // There, even if empty: without one OpenSSL looks for issuers among the trusted certificates.
  const borrowed_certificates issuers(
      reinterpret_cast<STACK_OF(X509)*>(crypto().OPENSSL_sk_new_null()));
  const std::vector<host::x509>& chain = identity.chain();
  for (size_t i = 1; i < chain.size(); ++i) {
    if (!issuers || !push(issuers.get(), chain[i].get())) {
      throw failure(HSMTLS_NO_MEMORY, "no memory for a certificate chain");
    }
  }
  constexpr int replace = 1;
  if (ssl().SSL_CTX_use_cert_and_key(
          ssl_ctx, chain.front().get(), key.get(), issuers.get(), replace) != 1) {
    refuse(identity, ssl_ctx);
  }
  context_state::attach(ssl_ctx).present(&identity);
}

}  // namespace hsmtls::tls
