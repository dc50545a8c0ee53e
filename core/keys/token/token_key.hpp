// A private key in a token: what signs. Everything that is handed out, in whatever form, shares one
// of these; closing it ends them all.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/keys/failure.hpp"
#include "core/keys/host/handles.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::keys {

enum class key_type { rsa, ec, ed25519 };

class token_key {
 public:
  // `open` finds the one key that `uri` fits. Talks to the token. Throws failure.
  static std::shared_ptr<token_key> open(const pkcs11::uri& uri,
                                         const hsmtls_p11_login* login,
                                         uint32_t deadline_ms);
  ~token_key();
  token_key(const token_key&) = delete;
  token_key& operator=(const token_key&) = delete;

  [[nodiscard]] key_type type() const { return type_; }
  [[nodiscard]] const std::string& uri() const { return uri_; }
  [[nodiscard]] uint32_t flags() const { return flags_; }  // HSMTLS_P11_LOCAL …

  // The public half, a key of the host's own provider; lives as long as this. Null where the
  // token does not have it, until it is learned (learned_half.hpp).
  [[nodiscard]] EVP_PKEY* public_half() const { return public_.get(); }
  void take_public_half(host::pkey half) { public_ = std::move(half); }
  // Whether a public key is of this key's type and, EC, on its curve.
  [[nodiscard]] bool could_be_of(EVP_PKEY* half) const;
  // Bits of the modulus, or of the curve.
  [[nodiscard]] uint32_t bits() const;
  // Bytes of the longest signature: of the modulus, or of the DER of two numbers.
  [[nodiscard]] size_t signature_size() const;

  // `sign` signs on the caller's thread. A lost token is brought back until the deadline. Throws
  // failure.
  [[nodiscard]] std::vector<uint8_t> sign(const hsmtls_p11_signature_spec& spec,
                                          std::span<const uint8_t> data);

  // Mechanisms (hsmtls_p11_mechanism) that the token turned out not to have for this key, so that
  // they are asked for once.
  [[nodiscard]] bool lacks(uint32_t mechanism) const {
    return (lacking_.load(std::memory_order_relaxed) & 1U << mechanism) != 0;
  }
  void note_lack(uint32_t mechanism) {
    lacking_.fetch_or(1U << mechanism, std::memory_order_relaxed);
  }

  // `close` lets the token go: from now on signatures fail with IDENTITY_CLOSED. Those that run end.
  void close();
  [[nodiscard]] bool is_closed() const;

  // `with_token` calls `use(hsmtls_p11_key*)`, which stays open meanwhile. Throws IDENTITY_CLOSED.
  template <class Use>
  auto with_token(Use&& use) const {
    const reference one = refer();
    return use(one.get());
  }

  // Why the latest signature was not made (signing.hpp); nothing: it was.
  void note_outcome(std::optional<failure> problem);
  [[nodiscard]] std::optional<failure> last_error() const;

 private:
  struct released {
    void operator()(hsmtls_p11_key* key) const;
  };
  using reference = std::unique_ptr<hsmtls_p11_key, released>;

  token_key(reference key, uint32_t deadline_ms);
  [[nodiscard]] reference refer() const;

  key_type type_;
  uint32_t flags_;
  uint32_t deadline_ms_;
  std::string uri_;
  std::string curve_;  // EC: OpenSSL's name
  host::pkey public_;
  std::atomic<uint32_t> lacking_{0};

  // Guarded by host::instant_lock:
  reference key_;  // null: closed
  std::optional<failure> last_error_;
};

}  // namespace hsmtls::keys
