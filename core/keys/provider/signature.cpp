// OSSL_OP_SIGNATURE (provider-signature(7)): the digest is made here, by the host's own digests; what
// is signed goes to the token; whatever needs only the public half goes to the host's own provider.
#include <openssl/core_names.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/signature_operation.hpp"
#include "core/keys/token/public_half.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

using operation = signature_operation;

operation& as_operation(void* context) {
  return *static_cast<operation*>(context);
}

[[noreturn]] void refuse(const std::string& why) {
  throw failure(HSMTLS_UNSUPPORTED, why);
}

int set_params(void* context, const OSSL_PARAM parameters[]) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    op.apply(parameters);
    return 1;
  });
}

const OSSL_PARAM* settable(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM all[] = {
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_END};
  return all;
}

// What X509_sign and the like ask, above all the algorithm's identifier in DER: the host's provider
// says it of the same operation on the public half.
int get_params(void* context, OSSL_PARAM parameters[]) {
  const operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    if (!op.key) return 0;
    EVP_PKEY_CTX* same = nullptr;
    const host::md_ctx owner =
        host_verification(op, host_parameters::purpose::describe_signature, &same);
    return owner && crypto().EVP_PKEY_CTX_get_params(same, parameters) > 0 ? 1 : 0;
  });
}

const OSSL_PARAM* gettable(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM all[] = {
      OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_END};
  return all;
}

// ---- contexts

void* make(void* provider, const char* properties) {
  const auto& context = *static_cast<const provider_context*>(provider);
  return guarded(context, static_cast<void*>(nullptr), [&]() -> void* {
    auto made = std::make_unique<operation>();
    made->provider = &context;
    if (properties != nullptr) made->properties = properties;
    return made.release();
  });
}

void release(void* context) {
  delete static_cast<operation*>(context);
}

void* duplicate(void* context) {
  const operation& from = as_operation(context);
  return guarded(*from.provider, static_cast<void*>(nullptr), [&]() -> void* {
    return from.copy().release();
  });
}

// ---- signing

int give(const std::vector<uint8_t>& made, unsigned char* signature, size_t* length, size_t room) {
  if (made.size() > room) refuse("there is no room for the signature");
  std::memcpy(signature, made.data(), made.size());
  *length = made.size();
  return 1;
}

int sign_init(void* context, void* key, const OSSL_PARAM parameters[]) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    op.begin(static_cast<const provider_key*>(key), nullptr, parameters);
    return 1;
  });
}

int sign(void* context,
         unsigned char* signature,
         size_t* length,
         size_t room,
         const unsigned char* digest,
         size_t digest_len) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    if (!op.key->token) refuse("this is a public key");
    if (signature == nullptr) {
      *length = op.key->token->signature_size();
      return 1;
    }
    return give(
        sign_digest(*op.key->token, op.scheme(), {digest, digest_len}), signature, length, room);
  });
}

int message_sign_init(void* context, const char* digest, void* key, const OSSL_PARAM parameters[]) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    op.begin(static_cast<const provider_key*>(key), digest, parameters);
    if (op.key->type == key_type::ed25519) return 1;
    if (!op.digest) op.digest = op.fetch(op.set.digest = "SHA256");
    op.hash.reset(crypto().EVP_MD_CTX_new());
    return op.hash && crypto().EVP_DigestInit_ex(op.hash.get(), op.digest.get(), nullptr) == 1 ? 1
                                                                                               : 0;
  });
}

int message_sign_update(void* context, const unsigned char* data, size_t length) {
  const operation& op = as_operation(context);
  return op.hash && crypto().EVP_DigestUpdate(op.hash.get(), data, length) == 1 ? 1 : 0;
}

int message_sign_final(void* context, unsigned char* signature, size_t* length, size_t room) {
  operation& op = as_operation(context);
  if (signature == nullptr) return sign(context, nullptr, length, 0, nullptr, 0);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_len = 0;
  if (!op.hash || crypto().EVP_DigestFinal_ex(op.hash.get(), digest.data(), &digest_len) != 1)
    return 0;
  return sign(context, signature, length, room, digest.data(), digest_len);
}

// In one go, as libssl asks for it. Without this, libcrypto would sign with a copy of the context.
int message_sign(void* context,
                 unsigned char* signature,
                 size_t* length,
                 size_t room,
                 const unsigned char* message,
                 size_t message_len) {
  if (signature != nullptr && message_sign_update(context, message, message_len) != 1) return 0;
  const int made = message_sign_final(context, signature, length, room);
  // As new: the next message may follow.
  const operation& op = as_operation(context);
  if (signature != nullptr && op.hash) {
    (void)crypto().EVP_DigestInit_ex(op.hash.get(), op.digest.get(), nullptr);
  }
  return made;
}

// RFC 8032: an Ed25519 signature needs the message as a whole.
int whole_message_sign(void* context,
                       unsigned char* signature,
                       size_t* length,
                       size_t room,
                       const unsigned char* message,
                       size_t message_len) {
  return sign(context, signature, length, room, message, message_len);
}

// ---- verifying

int verify_init(void* context, void* key, const OSSL_PARAM parameters[]) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    op.begin(static_cast<const provider_key*>(key), nullptr, parameters);
    op.verifying_digest.reset(
        crypto().EVP_PKEY_CTX_new_from_pkey(op.provider->libctx, op.key->public_half(), not_ours));
    return op.verifying_digest && crypto().EVP_PKEY_verify_init(op.verifying_digest.get()) > 0 ? 1
                                                                                               : 0;
  });
}

int verify(void* context,
           const unsigned char* signature,
           size_t length,
           const unsigned char* digest,
           size_t digest_len) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    EVP_PKEY_CTX* const with = op.verifying_digest.get();
    if (with == nullptr ||
        crypto().EVP_PKEY_CTX_set_params(
            with, host_parameters(op, host_parameters::purpose::verify_digest).data()) <= 0) {
      return 0;
    }
    return crypto().EVP_PKEY_verify(with, signature, length, digest, digest_len) == 1 ? 1 : 0;
  });
}

int message_verify_init(void* context,
                        const char* digest,
                        void* key,
                        const OSSL_PARAM parameters[]) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    op.begin(static_cast<const provider_key*>(key), digest, parameters);
    op.verifying.reset();
    return 1;
  });
}

// The host's own operation, begun when the first byte comes: by then all parameters are set.
bool ensure_verifying(operation& op) {
  if (!op.verifying)
    op.verifying = host_verification(op, host_parameters::purpose::verify_message, nullptr);
  return op.verifying != nullptr;
}

int message_verify_update(void* context, const unsigned char* data, size_t length) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    return ensure_verifying(op) &&
           crypto().EVP_DigestVerifyUpdate(op.verifying.get(), data, length) == 1;
  });
}

int message_verify_final(void* context, const unsigned char* signature, size_t length) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    return ensure_verifying(op) &&
           crypto().EVP_DigestVerifyFinal(op.verifying.get(), signature, length) == 1;
  });
}

int whole_message_verify(void* context,
                         const unsigned char* signature,
                         size_t length,
                         const unsigned char* message,
                         size_t message_len) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    return ensure_verifying(op) &&
           crypto().EVP_DigestVerify(op.verifying.get(), signature, length, message, message_len) ==
               1;
  });
}

// ---- tables

const OSSL_DISPATCH digest_signatures[] = {
    row(OSSL_FUNC_SIGNATURE_NEWCTX, make),
    row(OSSL_FUNC_SIGNATURE_FREECTX, release),
    row(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
    row(OSSL_FUNC_SIGNATURE_SIGN_INIT, sign_init),
    row(OSSL_FUNC_SIGNATURE_SIGN, sign),
    row(OSSL_FUNC_SIGNATURE_VERIFY_INIT, verify_init),
    row(OSSL_FUNC_SIGNATURE_VERIFY, verify),
    row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, message_sign_init),
    row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, message_sign_update),
    row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, message_sign_final),
    row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, message_sign),
    row(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, message_verify_init),
    row(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, message_verify_update),
    row(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, message_verify_final),
    row(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_params),
    row(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable),
    row(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_params),
    row(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable),
    {0, nullptr}};

const OSSL_DISPATCH message_signatures[] = {
    row(OSSL_FUNC_SIGNATURE_NEWCTX, make),
    row(OSSL_FUNC_SIGNATURE_FREECTX, release),
    row(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
    row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, message_sign_init),
    row(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, whole_message_sign),
    row(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, message_verify_init),
    row(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, whole_message_verify),
    row(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_params),
    row(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable),
    {0, nullptr}};

const OSSL_ALGORITHM all[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", ours, digest_signatures, "RSA by a token"},
    {"ECDSA", ours, digest_signatures, "ECDSA by a token"},
    {"ED25519:1.3.101.112", ours, message_signatures, "Ed25519 by a token"},
    {nullptr, nullptr, nullptr, nullptr}};

}  // namespace

const OSSL_ALGORITHM* signatures() {
  return all;
}

}  // namespace hsmtls::keys
