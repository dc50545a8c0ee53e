#include "core/keys/provider/downgrade.hpp"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/provider_key.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

std::array<std::atomic<OSSL_CALLBACK*>, 2> learnt;

// A public key of ours; null: OpenSSL does not take it.
template <size_t Size>
host::pkey key_of(key_type type, std::array<OSSL_PARAM, Size> parameters) {
  const host::pkey_ctx maker(crypto().EVP_PKEY_CTX_new_from_name(nullptr, name_of(type), ours));
  EVP_PKEY* made = nullptr;
  if (maker && crypto().EVP_PKEY_fromdata_init(maker.get()) == 1) {
    crypto().EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.data());
  }
  return host::pkey(made);
}

host::pkey some_rsa_key() {
  std::array<unsigned char, 128> modulus{};
  modulus.fill(0xff);
  std::array<unsigned char, 1> exponent{3};
  return key_of(
      key_type::rsa,
      std::array{
          crypto().OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus.data(), modulus.size()),
          crypto().OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent.data(), exponent.size()),
          crypto().OSSL_PARAM_construct_end()});
}

// P-256 and its generator (SEC 2 section 2.4.2), compressed.
host::pkey some_ec_key() {
  char group[] = "P-256";
  unsigned char point[] = {0x03, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc,
                           0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
                           0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96};
  return key_of(
      key_type::ec,
      std::array{
          crypto().OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
          crypto().OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
          crypto().OSSL_PARAM_construct_end()});
}

template <class Get>
OSSL_CALLBACK* asked_by(const host::pkey& key, Get get) {
  if (!key) return nullptr;
  const priming now;
  (void)get(key.get());
  return priming::asked_by;
}

}  // namespace

void learn_downgrades() {
  const host::error_mark mark;
  learnt[0] = asked_by(some_rsa_key(), crypto().EVP_PKEY_get0_RSA);
  learnt[1] = asked_by(some_ec_key(), crypto().EVP_PKEY_get0_EC_KEY);
}

bool is_downgrade(OSSL_CALLBACK* callback) {
  return std::any_of(
      learnt.begin(), learnt.end(), [&](const auto& one) { return one == callback; });
}

}  // namespace hsmtls::keys
