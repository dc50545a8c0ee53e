#include "core/keys/token/public_half.hpp"

#include <openssl/core_names.h>

#include <array>
#include <string>
#include <vector>

#include "core/keys/failure.hpp"
#include "core/keys/token/ec_point.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

host::pkey from_parameters(const char* type, OSSL_PARAM* parameters) {
  const host::pkey_ctx context(crypto().EVP_PKEY_CTX_new_from_name(nullptr, type, not_ours));
  EVP_PKEY* made = nullptr;
  if (context && crypto().EVP_PKEY_fromdata_init(context.get()) <= 0) {
    throw failure(HSMTLS_OPENSSL_UNUSABLE,
                  std::string("in this process an OpenSSL engine is the default for ") + type +
                      " keys, and OpenSSL gives it the keys of providers, too. Load the engine "
                      "without making it the default (openssl -engine and default_algorithms in "
                      "openssl.cnf do), or do without it");
  }
  if (!context ||
      crypto().EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) <= 0) {
    throw failure(HSMTLS_UNSUPPORTED,
                  std::string("OpenSSL does not accept the public half of this ") + type +
                      " key as the token gives it");
  }
  return host::pkey(made);
}

// A coordinate's bytes on one of the curves that `curve_of` knows.
size_t coordinate_on(std::string_view curve) {
  if (curve == SN_X9_62_prime256v1) return 32;
  return curve == SN_secp384r1 ? 48 : 66;
}

std::vector<uint8_t> point_of(const hsmtls_p11_key_info& info, size_t coordinate) {
  const auto point = ec_point({info.ec_point, info.ec_point_len}, coordinate);
  return {point.begin(), point.end()};
}

host::pkey rsa(const hsmtls_p11_key_info& info) {
  if (info.modulus_len == 0 || info.exponent_len == 0) return nullptr;
  // OSSL_PARAM holds integers in the machine's own byte order; ours are big endian.
  const auto native = [](const uint8_t* bytes, uint32_t length) {
    std::vector<uint8_t> out(bytes, bytes + length);
    if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
      out.assign(std::make_reverse_iterator(bytes + length), std::make_reverse_iterator(bytes));
    }
    return out;
  };
  std::vector<uint8_t> modulus = native(info.modulus, info.modulus_len);
  std::vector<uint8_t> exponent = native(info.exponent, info.exponent_len);
  std::array parameters{
      crypto().OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus.data(), modulus.size()),
      crypto().OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent.data(), exponent.size()),
      crypto().OSSL_PARAM_construct_end()};
  return from_parameters("RSA", parameters.data());
}

host::pkey ec(const hsmtls_p11_key_info& info) {
  std::string curve = curve_of(info);
  if (info.ec_point_len == 0) return nullptr;
  std::vector<uint8_t> point = point_of(info, coordinate_on(curve));
  std::array parameters{
      crypto().OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
      crypto().OSSL_PARAM_construct_octet_string(
          OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      crypto().OSSL_PARAM_construct_end()};
  return from_parameters("EC", parameters.data());
}

host::pkey ed25519(const hsmtls_p11_key_info& info) {
  if (info.ec_point_len == 0) return nullptr;
  std::vector<uint8_t> point = point_of(info, 0);
  std::array parameters{crypto().OSSL_PARAM_construct_octet_string(
                            OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                        crypto().OSSL_PARAM_construct_end()};
  return from_parameters("ED25519", parameters.data());
}

}  // namespace

const char* curve_of(const hsmtls_p11_key_info& info) {
  const uint8_t* at = info.ec_params;
  const host::asn1_object curve(
      crypto().d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(info.ec_params_len)));
  const int nid = curve ? crypto().OBJ_obj2nid(curve.get()) : NID_undef;
  if (nid != NID_X9_62_prime256v1 && nid != NID_secp384r1 && nid != NID_secp521r1) {
    throw failure(
        HSMTLS_UNSUPPORTED,
        std::string("the key is on the curve ") +
            (nid != NID_undef ? crypto().OBJ_nid2sn(nid) : "that OpenSSL has no name for") +
            "; P-256, P-384 and P-521 can be used for TLS");
  }
  return crypto().OBJ_nid2sn(nid);
}

host::pkey public_half(const hsmtls_p11_key_info& info) {
  const host::error_mark mark;
  switch (static_cast<hsmtls_p11_key_type>(info.type)) {
    case HSMTLS_P11_RSA:
      return rsa(info);
    case HSMTLS_P11_EC:
      return ec(info);
    case HSMTLS_P11_ED25519:
      return ed25519(info);
  }
  throw failure(HSMTLS_UNSUPPORTED, "the key is neither RSA, EC nor Ed25519");
}

}  // namespace hsmtls::keys
