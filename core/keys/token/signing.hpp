// From what OpenSSL asks of a key to what a token does (PKCS#11 v3.1 sections 6.1 and 6.3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/keys/token/token_key.hpp"

namespace hsmtls::keys {

enum class rsa_padding { pkcs1, pss, none };

// OpenSSL 3.1's RSA_PSS_SALTLEN_AUTO_DIGEST_MAX, which 3.0's headers do not have.
inline constexpr int salt_auto_digest_max = -4;

// How to sign a digest. The EVP_MDs are the caller's.
struct signature_scheme {
  const EVP_MD* digest = nullptr;  // null: what is signed is no digest that has a name
  rsa_padding padding = rsa_padding::pkcs1;
  const EVP_MD* mgf1_digest = nullptr;  // PSS; null: `digest`
  int salt_len = salt_auto_digest_max;  // bytes, or one of OpenSSL's RSA_PSS_SALTLEN_…
};

// `salt_bytes` returns how long a PSS salt by that scheme is. Throws failure where it does not fit.
int salt_bytes(const token_key& key, const signature_scheme& scheme);

// `sign_digest` signs a digest, with an Ed25519 key a message, and returns the signature as OpenSSL
// has it: ECDSA in DER. Where the token has no mechanism for a padding, the padding is made here and
// the token does the raw operation, if it has that. Throws failure.
std::vector<uint8_t> sign_digest(token_key& key,
                                 const signature_scheme& scheme,
                                 std::span<const uint8_t> digest);

// `sign_block` signs a DigestInfo that is yet to be padded (pkcs1), or a block as long as the modulus
// (none): what an RSA_METHOD is given.
std::vector<uint8_t> sign_block(token_key& key,
                                rsa_padding padding,
                                std::span<const uint8_t> block);

// `sign_ecdsa` returns r and s of a digest's signature.
host::ecdsa_sig sign_ecdsa(token_key& key, std::span<const uint8_t> digest);

}  // namespace hsmtls::keys
