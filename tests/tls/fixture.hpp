// The authority that both sides trust, its peers with software keys, and devices whose keys are in
// SoftHSM.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/chaos.hpp"
#include "tests/support/leaks.hpp"
#include "tests/support/pki.hpp"
#include "tests/support/softhsm.hpp"
#include "tests/support/tls.hpp"

namespace hsmtls::test {

using testing::HasSubstr;
using testing::Not;

// How a side of a connection sees what went wrong.
MATCHER_P2(Says, name, words, "") {
  *result_listener << arg;
  return arg.name() == name && arg.mentions(words);
}

// A certificate and its software key, by an authority.
struct software_peer {
  software_peer(const authority& by, certificate_words words, const std::string& kind = "P-256")
      : key(software_key(kind)), certificate(by.issue(key.get(), words)) {}

  // As any other program is set up; it demands a certificate of whom it trusts.
  [[nodiscard]] ssl_ctx context(hsmtls_role role, const std::vector<X509*>& trusted = {}) const {
    return plain_context(role, key.get(), {certificate.get()}, trusted);
  }

  evp_key key;
  x509 certificate;
};

inline certificate_words for_host(const std::string& name) {
  return {.name = name, .names = {"DNS:" + name}};
}

inline constexpr const char* host = "broker.example";

// The client is a context of ours without a key of its own, the server anybody's.
class anonymous_client : public testing::Test {
 protected:
  // A client's options that fit `broker`.
  [[nodiscard]] context_options as_client() const {
    return {.server_name = host, .trust = ca.pem()};
  }

  authority ca{"Test CA"};
  software_peer broker{ca, for_host(host)};
};

class over_softhsm : public testing::Test {
 protected:
  over_softhsm() { chaos::in_front_of(softhsm_module()); }

  [[nodiscard]] context_options as_client() const {
    return {.server_name = host, .trust = ca.pem()};
  }

  [[nodiscard]] std::string uri_of(const std::string& name) const {
    return "pkcs11:token=" + token.label() + ";object=" + name;
  }

  // Makes a key and opens it as an identity whose certificate is by the authority.
  open_identity make_identity(const std::string& name,
                              hsmtls_generate_kind kind = HSMTLS_GENERATE_P256,
                              certificate_words words = {}) {
    make_key(name, kind);
    words.name = name;
    return open_key(name, pem_of(ca.issue(key_of(name).get(), words).get()));
  }

  void make_key(const std::string& name, hsmtls_generate_kind kind) const {
    // SoftHSM 2.6.1 leaks the name of the curve, in libcrypto's memory, whenever it looks at such a key.
    if (kind == HSMTLS_GENERATE_ED25519) expect_foreign_leaks();
    const uint32_t bits = kind == HSMTLS_GENERATE_RSA ? 2048 : 0;
    const answer made = generate_key(uri_of(name), token.user_pin(), kind, bits);
    if (!made.fine()) throw std::runtime_error(made.message);
  }

  [[nodiscard]] open_identity open_key(const std::string& name,
                                       const std::string& certificates,
                                       uint32_t deadline_ms = 10000) const {
    identity_source from{.key = uri_of(name),
                         .pin = token.user_pin(),
                         .certificate = certificates,
                         .module = HSMTLS_TEST_CHAOS,
                         .deadline_ms = deadline_ms};
    if (!certificates.empty()) from.flags = 0;
    return opened(from);
  }

  // The key alone, for a certificate.
  [[nodiscard]] evp_key key_of(const std::string& name) const {
    return handed_key(open_key(name, "").get());
  }

  softhsm_token token;
  chaos trouble;
  authority ca{"Test CA"};
  software_peer broker{ca, for_host(host)};
};

}  // namespace hsmtls::test
