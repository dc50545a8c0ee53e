// Both ends of a connection: a key that is measured, and a software peer; each trusts the other.
#pragma once

#include "tests/bench/core/key.hpp"
#include "tests/support/pki.hpp"

namespace hsmtls::bench {

int version_named(const std::string& name);  // "1.2", "1.3"

class peers {
 public:
  // `kind` as of key_of; a "provider" key comes with contexts of hsmtls's own making, any other with
  // OpenSSL's alone.
  peers(const std::string& kind, const key_place& place);

  // `contexts` makes a pair for one version, in which the measured key has that role.
  struct pair {
    test::ssl_ctx client;
    test::ssl_ctx server;
    bool is_ours;  // the client's context
  };
  [[nodiscard]] pair contexts(hsmtls_role role, int version) const;

 private:
  [[nodiscard]] test::x509 issue(EVP_PKEY* key) const;
  [[nodiscard]] test::ssl_ctx measured(hsmtls_role role) const;

  test::authority ca_{"Bench CA"};
  key_in_use key_;
  test::x509 certificate_;
  test::open_identity identity_;  // with its certificate; null: not through hsmtls
  test::evp_key peer_key_ = test::software_key();
  test::x509 peer_certificate_;
};

// `shake_hands` does a whole handshake and a message each way, over `session` if that is not null,
// which then is the newest one; `resumes`: it has to be a resumption. Throws std::runtime_error.
void shake_hands(const peers::pair& contexts, bool resumes, test::ssl_session& session);

}  // namespace hsmtls::bench
