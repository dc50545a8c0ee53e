#include "core/keys/provider/signature_operation.hpp"

#include <openssl/core_names.h>

#include <cstdlib>
#include <cstring>

#include "core/keys/token/public_half.hpp"

namespace hsmtls::keys {
namespace {

using host::crypto;

[[noreturn]] void refuse(const std::string& why) {
  throw failure(HSMTLS_UNSUPPORTED, why);
}

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

void set_padding(signature_operation& op, const OSSL_PARAM parameters[]) {
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

void set_digests(signature_operation& op, const OSSL_PARAM parameters[]) {
  std::string digest = op.set.digest;
  std::string mgf1 = op.set.mgf1_digest;
  read_text(parameters, OSSL_SIGNATURE_PARAM_DIGEST, digest);
  read_text(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mgf1);
  if (digest != op.set.digest) {
    op.digest = op.fetch(digest);
    op.set.digest = std::move(digest);
  }
  if (mgf1 != op.set.mgf1_digest) {
    op.mgf1_digest = op.fetch(mgf1);
    op.set.mgf1_digest = std::move(mgf1);
  }
}

host::md_ctx copy_of(const host::md_ctx& from) {
  if (!from) return nullptr;
  host::md_ctx made(crypto().EVP_MD_CTX_new());
  if (!made || crypto().EVP_MD_CTX_copy_ex(made.get(), from.get()) != 1) throw std::bad_alloc();
  return made;
}

}  // namespace

host::md signature_operation::fetch(const std::string& name) const {
  host::md found =
      provider->fetch_digest(name.c_str(), properties.empty() ? nullptr : properties.c_str());
  if (!found) refuse("OpenSSL has no digest '" + name + "' here");
  return found;
}

void signature_operation::apply(const OSSL_PARAM parameters[]) {
  if (parameters == nullptr || parameters[0].key == nullptr) return;
  set_padding(*this, parameters);
  set_digests(*this, parameters);
}

void signature_operation::begin(const provider_key* with,
                                const char* digest_name,
                                const OSSL_PARAM parameters[]) {
  if (with != nullptr) key = with->copy();
  if (!key) refuse("there is no key to sign with");
  if (digest_name != nullptr && *digest_name != '\0') {
    if (key->type == key_type::ed25519) refuse("an Ed25519 key signs messages, not digests");
    if (set.digest != digest_name) {
      digest = fetch(digest_name);
      set.digest = digest_name;
    }
  }
  apply(parameters);
}

signature_scheme signature_operation::scheme() const {
  return {
      digest.get(), set.padding, mgf1_digest.get(), set.salt_len.value_or(salt_auto_digest_max)};
}

std::unique_ptr<signature_operation> signature_operation::copy() const {
  auto made = std::make_unique<signature_operation>();
  made->provider = provider;
  made->properties = properties;
  made->set = set;
  if (key) made->key = key->copy();
  if (digest) made->digest = fetch(set.digest);
  if (mgf1_digest) made->mgf1_digest = fetch(set.mgf1_digest);
  made->hash = copy_of(hash);
  made->verifying = copy_of(verifying);
  if (verifying_digest) {
    made->verifying_digest.reset(crypto().EVP_PKEY_CTX_dup(verifying_digest.get()));
    if (!made->verifying_digest) throw std::bad_alloc();
  }
  return made;
}

host_parameters::host_parameters(const signature_operation& op, purpose what_for) : set_(op.set) {
  if (what_for == purpose::verify_digest && !set_.digest.empty()) {
    add(crypto().OSSL_PARAM_construct_utf8_string(
        OSSL_SIGNATURE_PARAM_DIGEST, set_.digest.data(), 0));
  }
  if (op.key->type == key_type::rsa) {
    padding_ = set_.padding == rsa_padding::pss    ? RSA_PKCS1_PSS_PADDING
               : set_.padding == rsa_padding::none ? RSA_NO_PADDING
                                                   : RSA_PKCS1_PADDING;
    add(crypto().OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding_));
    if (set_.padding == rsa_padding::pss) add_pss(op, what_for);
  }
  list_.at(used_) = crypto().OSSL_PARAM_construct_end();
}

void host_parameters::add_pss(const signature_operation& op, purpose what_for) {
  if (what_for == purpose::describe_signature && op.key->token) {
    salt_len_ = salt_bytes(*op.key->token, op.scheme());
  } else {
    salt_len_ = set_.salt_len.value_or(RSA_PSS_SALTLEN_AUTO);
  }
  add(crypto().OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_len_));
  if (!set_.mgf1_digest.empty()) {
    add(crypto().OSSL_PARAM_construct_utf8_string(
        OSSL_SIGNATURE_PARAM_MGF1_DIGEST, set_.mgf1_digest.data(), 0));
  }
}

host::md_ctx host_verification(const signature_operation& op,
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

}  // namespace hsmtls::keys
