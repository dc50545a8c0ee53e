#include "tests/bench/core/key.hpp"

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "tests/bench/core/engine.hpp"
#include "tests/support/chaos.hpp"
#include "tests/support/pki.hpp"

namespace hsmtls::bench {
namespace {

constexpr CK_BYTE rsa_id = 2;

// What .NET 8 does with the key that it is given (SafeEvpPKeyHandle's duplicates).
test::evp_key copied_legacy_half(EVP_PKEY* hybrid) {
  test::evp_key made(EVP_PKEY_new());
  int ok = 0;
  if (EVP_PKEY_get_base_id(hybrid) == EVP_PKEY_RSA) {
    ok = EVP_PKEY_set1_RSA(made.get(), const_cast<RSA*>(EVP_PKEY_get0_RSA(hybrid)));
  } else {
    ok = EVP_PKEY_set1_EC_KEY(made.get(), const_cast<EC_KEY*>(EVP_PKEY_get0_EC_KEY(hybrid)));
  }
  if (ok != 1) throw std::runtime_error("the hybrid key has no legacy half");
  return made;
}

}  // namespace

key_place key_place::from(const json& setup) {
  return {token_place::from(setup), setup.at("label"), setup.at("id")};
}

json key_place::setup(const std::string& job, const std::string& kind) const {
  json out = where.as_json();
  out["label"] = label;
  out["id"] = id;
  out["job"] = job;
  out["kind"] = kind;
  return out;
}

std::string key_place::uri() const {
  return "pkcs11:token=" + where.token + ";object=" + label;
}

environment through(const std::string& module) {
  return {{"HSMTLS_MODULE", module}};
}

environment through_chaos(const std::string& module, const std::string& script) {
  return {{"HSMTLS_MODULE", HSMTLS_TEST_CHAOS},
          {"HSMTLS_CHAOS_MODULE", module},
          {"HSMTLS_CHAOS", script}};
}

key_in_use key_of(const std::string& kind, const key_place& place) {
  if (kind == "software")
    return {.key = test::software_key(place.id == rsa_id ? "RSA:2048" : "P-256")};
  if (kind == "engine") return {.key = engine_key(place)};
  key_in_use made{.identity = test::opened(place.uri(), place.where.pin)};
  if (kind == "provider") {
    made.key = test::handed_key(made.identity.get(), HSMTLS_KEY_PROVIDER);
  } else if (kind == "hybrid") {
    made.key = copied_legacy_half(test::handed_key(made.identity.get(), HSMTLS_KEY_HYBRID).get());
  } else if (kind == "method") {
    made.key = test::handed_key(made.identity.get(), HSMTLS_KEY_METHOD);
  } else {
    throw std::invalid_argument("unknown kind of key: " + kind);
  }
  return made;
}

test::open_identity open_with_certificate(const key_place& place) {
  return test::opened({.key = place.uri(), .pin = place.where.pin, .flags = 0});
}

}  // namespace hsmtls::bench
