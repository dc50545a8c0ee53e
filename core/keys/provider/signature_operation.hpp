// One signing or verifying operation: its key, its parameters, and what of it the host does.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "core/keys/provider/provider_key.hpp"
#include "core/keys/token/signing.hpp"

namespace hsmtls::keys {

// The parameters of an operation, as OpenSSL spells them.
struct signature_settings {
  rsa_padding padding = rsa_padding::pkcs1;
  std::optional<int> salt_len;  // none: for signing the digest's, for verifying any
  std::string digest;
  std::string mgf1_digest;
};

struct signature_operation {
  const provider_context* provider;
  std::string properties;
  std::optional<provider_key> key;
  signature_settings set;
  host::md digest;
  host::md mgf1_digest;
  host::md_ctx hash;       // signing a message
  host::md_ctx verifying;  // verifying a message: the host's, as a whole
  host::pkey_ctx verifying_digest;

  // `begin` takes key, digest and parameters over. A null key: the one of an earlier start again.
  // Throws failure.
  void begin(const provider_key* with, const char* digest_name, const OSSL_PARAM parameters[]);
  // `apply` takes parameters over. Throws failure.
  void apply(const OSSL_PARAM parameters[]);
  // `fetch` returns a digest of the host's. Throws failure where there is none of that name.
  [[nodiscard]] host::md fetch(const std::string& name) const;
  [[nodiscard]] signature_scheme scheme() const;
  [[nodiscard]] std::unique_ptr<signature_operation> copy() const;
};

// What we were told, as parameters for an operation of the host's own.
class host_parameters {
 public:
  enum class purpose { verify_digest, verify_message, describe_signature };

  host_parameters(const signature_operation& op, purpose what_for);
  [[nodiscard]] const OSSL_PARAM* data() const { return list_.data(); }

 private:
  void add(const OSSL_PARAM& one) { list_.at(used_++) = one; }
  void add_pss(const signature_operation& op, purpose what_for);

  signature_settings set_;
  int padding_ = 0;
  int salt_len_ = 0;
  size_t used_ = 0;
  std::array<OSSL_PARAM, 6> list_{};
};

// `host_verification` begins an operation of the host's own provider on the public half, for the digest
// that is set; null: the host does not take it. `out_settings` (may be null) belongs to it.
host::md_ctx host_verification(const signature_operation& op,
                               host_parameters::purpose what_for,
                               EVP_PKEY_CTX** out_settings);

}  // namespace hsmtls::keys
