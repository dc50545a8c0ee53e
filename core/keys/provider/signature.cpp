// OSSL_OP_SIGNATURE (provider-signature(7)): the digest is made here, by the host's own digests; what
// is signed goes to the token; whatever needs only the public half goes to the host's own provider.
#include <openssl/core_names.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "core/keys/provider/algorithms.hpp"
#include "core/keys/provider/provider_key.hpp"
#include "core/keys/token/public_half.hpp"
#include "core/keys/token/signing.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

// The parameters of an operation, as this file and OpenSSL spell them.
struct settings {
  rsa_padding padding = rsa_padding::pkcs1;
  std::optional<int> salt_len;  // none: for signing the digest's, for verifying any
  std::string digest;
  std::string mgf1_digest;
};

struct operation {
  const provider_context* provider;
  std::string properties;
  std::optional<provider_key> key;
  settings set;
  host::md digest;
  host::md mgf1_digest;
  host::md_ctx hash;       // signing a message
  host::md_ctx verifying;  // verifying a message: the host's, as a whole
  host::pkey_ctx verifying_digest;
};

operation& as_operation(void* context) {
  return *static_cast<operation*>(context);
}

[[noreturn]] void refuse(const std::string& why) {
  throw failure(HSMTLS_UNSUPPORTED, why);
}

host::md digest_named(const operation& op, const std::string& name) {
  host::md found = op.provider->fetch_digest(
      name.c_str(), op.properties.empty() ? nullptr : op.properties.c_str());
  if (!found) refuse("OpenSSL has no digest '" + name + "' here");
  return found;
}

// ---- parameters

void read_text(const OSSL_PARAM parameters[], const char* key, std::string& out) {
  const OSSL_PARAM* const found = crypto().OSSL_PARAM_locate_const(parameters, key);
  const char* text = nullptr;
  if (found != nullptr && crypto().OSSL_PARAM_get_utf8_string_ptr(found, &text) == 1) out = text;
}

// Both of these come as a number or as a word, depending on who asks.
int padding_number(const OSSL_PARAM& parameter) {
  int number = 0;
  if (parameter.data_type != OSSL_PARAM_UTF8_STRING) {
    return crypto().OSSL_PARAM_get_int(&parameter, &number) == 1 ? number : -1;
  }
  const char* const word = static_cast<const char*>(parameter.data);
  if (std::strcmp(word, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0) return RSA_PKCS1_PADDING;
  if (std::strcmp(word, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0) return RSA_PKCS1_PSS_PADDING;
  if (std::strcmp(word, OSSL_PKEY_RSA_PAD_MODE_NONE) == 0) return RSA_NO_PADDING;
  return -1;
}

int salt_number(const OSSL_PARAM& parameter) {
  int number = 0;
  if (parameter.data_type != OSSL_PARAM_UTF8_STRING) {
    if (crypto().OSSL_PARAM_get_int(&parameter, &number) != 1)
      refuse("malformed RSA-PSS salt length");
    return number;
  }
  const std::string word(static_cast<const char*>(parameter.data));
  if (word == OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) return RSA_PSS_SALTLEN_DIGEST;
  if (word == OSSL_PKEY_RSA_PSS_SALT_LEN_MAX) return RSA_PSS_SALTLEN_MAX;
  if (word == OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO) return RSA_PSS_SALTLEN_AUTO;
  if (word == "auto-digestmax") return salt_auto_digest_max;  // since 3.1
  // A number as text, also one of OpenSSL's own below 0 (openssl dgst -sigopt rsa_pss_saltlen:-1).
  char* end = nullptr;
  const long value = std::strtol(word.c_str(), &end, 10);
  if (word.empty() || *end != '\0' || value < salt_auto_digest_max || value > 65535) {
    refuse("malformed RSA-PSS salt length '" + word + "'");
  }
  return static_cast<int>(value);
}

void set_padding(operation& op, const OSSL_PARAM parameters[]) {
  if (const OSSL_PARAM* found =
          crypto().OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE)) {
    switch (padding_number(*found)) {
      case RSA_PKCS1_PADDING:
        op.set.padding = rsa_padding::pkcs1;
        break;
      case RSA_PKCS1_PSS_PADDING:
        op.set.padding = rsa_padding::pss;
        break;
      case RSA_NO_PADDING:
        op.set.padding = rsa_padding::none;
        break;
      default:
        refuse("this RSA padding is not supported: PKCS#1 v1.5, PSS and none are");
    }
  }
  if (const OSSL_PARAM* found =
          crypto().OSSL_PARAM_locate_const(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN)) {
    op.set.salt_len = salt_number(*found);
  }
}

void set_digests(operation& op, const OSSL_PARAM parameters[]) {
  std::string digest = op.set.digest;
  std::string mgf1 = op.set.mgf1_digest;
  read_text(parameters, OSSL_SIGNATURE_PARAM_DIGEST, digest);
  read_text(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mgf1);
  if (digest != op.set.digest) {
    op.digest = digest_named(op, digest);
    op.set.digest = std::move(digest);
  }
  if (mgf1 != op.set.mgf1_digest) {
    op.mgf1_digest = digest_named(op, mgf1);
    op.set.mgf1_digest = std::move(mgf1);
  }
}

void set_all(operation& op, const OSSL_PARAM parameters[]) {
  if (parameters == nullptr || parameters[0].key == nullptr) return;
  set_padding(op, parameters);
  set_digests(op, parameters);
}

signature_scheme scheme_of(const operation& op) {
  return {op.digest.get(),
          op.set.padding,
          op.mgf1_digest.get(),
          op.set.salt_len.value_or(salt_auto_digest_max)};
}

// What we were told, as parameters for an operation of the host's own.
class host_parameters {
 public:
  enum class purpose { verify_digest, verify_message, describe_signature };

  host_parameters(const operation& op, purpose what_for) : set_(op.set) {
    if (what_for == purpose::verify_digest && !set_.digest.empty()) {
      add(crypto().OSSL_PARAM_construct_utf8_string(
          OSSL_SIGNATURE_PARAM_DIGEST, set_.digest.data(), 0));
    }
    if (op.key->type == key_type::rsa) {
      padding_ = set_.padding == rsa_padding::pss    ? RSA_PKCS1_PSS_PADDING
                 : set_.padding == rsa_padding::none ? RSA_NO_PADDING
                                                     : RSA_PKCS1_PADDING;
      add(crypto().OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding_));
      if (set_.padding == rsa_padding::pss) {
        if (what_for == purpose::describe_signature && op.key->token) {
          salt_len_ = salt_bytes(*op.key->token, scheme_of(op));
        } else {
          salt_len_ = set_.salt_len.value_or(RSA_PSS_SALTLEN_AUTO);
        }
        add(crypto().OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_len_));
        if (!set_.mgf1_digest.empty()) {
          add(crypto().OSSL_PARAM_construct_utf8_string(
              OSSL_SIGNATURE_PARAM_MGF1_DIGEST, set_.mgf1_digest.data(), 0));
        }
      }
    }
    list_.at(used_) = crypto().OSSL_PARAM_construct_end();
  }
  [[nodiscard]] const OSSL_PARAM* data() const { return list_.data(); }

 private:
  void add(const OSSL_PARAM& one) { list_.at(used_++) = one; }
  settings set_;
  int padding_ = 0;
  int salt_len_ = 0;
  size_t used_ = 0;
  std::array<OSSL_PARAM, 6> list_{};
};

// An operation of the host's own provider on the public half, for the digest that is set.
host::md_ctx host_verification(const operation& op,
                               host_parameters::purpose what_for,
                               EVP_PKEY_CTX** out_settings) {
  host::md_ctx made(crypto().EVP_MD_CTX_new());
  const bool named = !op.set.digest.empty();
  if (!made || crypto().EVP_DigestVerifyInit_ex(made.get(),
                                                out_settings,
                                                named ? op.set.digest.c_str() : nullptr,
                                                op.provider->libctx,
                                                not_ours,
                                                op.key->public_half(),
                                                host_parameters(op, what_for).data()) != 1) {
    return nullptr;
  }
  return made;
}

int set_params(void* context, const OSSL_PARAM parameters[]) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    set_all(op, parameters);
    return 1;
  });
}

const OSSL_PARAM* settable(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM all[] = {
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PROPERTIES, nullptr, 0),
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
  return new (std::nothrow) operation{static_cast<const provider_context*>(provider),
                                      properties != nullptr ? properties : "",
                                      {},
                                      {},
                                      nullptr,
                                      nullptr,
                                      nullptr,
                                      nullptr,
                                      nullptr};
}

void release(void* context) {
  delete static_cast<operation*>(context);
}

host::md_ctx copy_of(const host::md_ctx& from) {
  if (!from) return nullptr;
  host::md_ctx made(crypto().EVP_MD_CTX_new());
  if (!made || crypto().EVP_MD_CTX_copy_ex(made.get(), from.get()) != 1) throw std::bad_alloc();
  return made;
}

void* duplicate(void* context) {
  const operation& from = as_operation(context);
  return guarded(*from.provider, static_cast<void*>(nullptr), [&]() -> void* {
    auto made = std::make_unique<operation>();
    made->provider = from.provider;
    made->properties = from.properties;
    made->set = from.set;
    if (from.key) made->key = from.key->copy();
    if (from.digest) made->digest = digest_named(from, from.set.digest);
    if (from.mgf1_digest) made->mgf1_digest = digest_named(from, from.set.mgf1_digest);
    made->hash = copy_of(from.hash);
    made->verifying = copy_of(from.verifying);
    if (from.verifying_digest) {
      made->verifying_digest.reset(crypto().EVP_PKEY_CTX_dup(from.verifying_digest.get()));
    }
    return made.release();
  });
}

// Takes the key, the digest and the parameters over. A null key: the one of an earlier start again.
void begin(operation& op, void* key, const char* digest, const OSSL_PARAM parameters[]) {
  if (key != nullptr) op.key = static_cast<const provider_key*>(key)->copy();
  if (!op.key) refuse("there is no key to sign with");
  if (digest != nullptr && *digest != '\0') {
    if (op.key->type == key_type::ed25519) refuse("an Ed25519 key signs messages, not digests");
    if (op.set.digest != digest) {
      op.digest = digest_named(op, digest);
      op.set.digest = digest;
    }
  }
  set_all(op, parameters);
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
    begin(op, key, nullptr, parameters);
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
        sign_digest(*op.key->token, scheme_of(op), {digest, digest_len}), signature, length, room);
  });
}

int message_sign_init(void* context, const char* digest, void* key, const OSSL_PARAM parameters[]) {
  operation& op = as_operation(context);
  return guarded(*op.provider, 0, [&] {
    begin(op, key, digest, parameters);
    if (op.key->type == key_type::ed25519) return 1;
    if (!op.digest) op.digest = digest_named(op, op.set.digest = "SHA256");
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
  if (signature != nullptr)
    (void)crypto().EVP_DigestInit_ex(op.hash.get(), op.digest.get(), nullptr);
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
    begin(op, key, nullptr, parameters);
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
    begin(op, key, digest, parameters);
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
