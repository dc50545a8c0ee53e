#include "core/keys/token/learned_half.hpp"

#include <openssl/core_names.h>

#include <array>
#include <span>

#include "core/keys/token/face.hpp"
#include "core/keys/token/objects.hpp"
#include "core/keys/token/public_half.hpp"
#include "core/keys/token/signing.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

// What is signed says what for: of no use to anybody in another place.
constexpr std::string_view question = "hsmtls asks this key which certificate is its own";

std::span<const uint8_t> message() {
  return {reinterpret_cast<const uint8_t*>(question.data()), question.size()};
}

struct proof {
  rsa_padding padding = rsa_padding::pkcs1;
  std::vector<uint8_t> signature;
};

proof made_by(token_key& key) {
  if (key.type() == key_type::ed25519) return {{}, sign_digest(key, {}, message())};
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  const EVP_MD* const sha256 = crypto().EVP_sha256();
  if (crypto().EVP_Digest(
          question.data(), question.size(), digest.data(), &length, sha256, nullptr) != 1)
    throw std::bad_alloc();
  const auto signed_with = [&](rsa_padding padding) {
    return proof{padding,
                 sign_digest(key, {.digest = sha256, .padding = padding}, {digest.data(), length})};
  };
  try {
    return signed_with(rsa_padding::pkcs1);
  } catch (const failure& problem) {
    // There are RSA keys that are allowed PSS alone.
    if (problem.code() != HSMTLS_UNSUPPORTED || key.type() != key_type::rsa) throw;
  }
  return signed_with(rsa_padding::pss);
}

bool verifies(EVP_PKEY* candidate, key_type type, const proof& of) {
  const host::md_ctx context(crypto().EVP_MD_CTX_new());
  int padding = RSA_PKCS1_PSS_PADDING;
  const std::array pss{crypto().OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding),
                       crypto().OSSL_PARAM_construct_end()};
  return context &&
         crypto().EVP_DigestVerifyInit_ex(context.get(),
                                          nullptr,
                                          type == key_type::ed25519 ? nullptr : "SHA256",
                                          nullptr,
                                          not_ours,
                                          candidate,
                                          of.padding == rsa_padding::pss ? pss.data() : nullptr) ==
             1 &&
         crypto().EVP_DigestVerify(context.get(),
                                   of.signature.data(),
                                   of.signature.size(),
                                   message().data(),
                                   message().size()) == 1;
}

}  // namespace

bool learn_public_half(token_key& key, std::span<const host::x509> certificates) {
  if (key.public_half() != nullptr) return true;
  const host::error_mark mark;
  proof answer;
  size_t answered_for = 0;
  for (const host::x509& one : certificates) {
    host::pkey candidate(crypto().X509_get_pubkey(one.get()));
    if (!candidate || !key.could_be_of(candidate.get())) continue;
    key.take_public_half(std::move(candidate));
    try {
      // How long it is decides how the block is padded that an RSA key signs.
      if (answered_for != key.signature_size()) {
        answer = made_by(key);
        answered_for = key.signature_size();
      }
      if (verifies(key.public_half(), key.type(), answer)) return true;
    } catch (...) {
      key.take_public_half(nullptr);
      throw;
    }
  }
  key.take_public_half(nullptr);
  return false;
}

void need_public_half(token_key& key) {
  if (key.public_half() != nullptr) return;
  const auto beside = key.with_token([](hsmtls_p11_key* one) { return certificates_beside(one); });
  if (learn_public_half(key, certificates_in_der(beside))) return;
  throw failure(HSMTLS_CERTIFICATE_NOT_FOUND,
                "the token holds the private key " + key.uri() +
                    " but not its public half, and no certificate of this key to take it from. "
                    "Import the key's certificate into the token (hsmtls import)");
}

}  // namespace hsmtls::keys
