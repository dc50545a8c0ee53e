// An identity: a private key in a token, its certificate chain, and what unlocks it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/keys/evp/method_key.hpp"
#include "core/keys/host/handles.hpp"
#include "core/keys/token/token_key.hpp"
#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::keys {

// Texts and login are the caller's, and looked at during `open` only: a PIN in a URI is in no copy.
struct identity_options {
  std::string_view key;          // RFC 7512
  std::string_view certificate;  // a file, PEM text, a pkcs11: URI; empty: from the token
  bool without_certificate = false;
  uint32_t deadline_ms = 0;  // 0: the configured default
  uint32_t require = 0;      // HSMTLS_P11_LOCAL …
  const hsmtls_p11_login* login = nullptr;
  std::function<void(const hsmtls_p11_event&)> on_event;  // any thread; must not throw
};

class identity {
 public:
  // `open` checks all that can be checked before a handshake. Talks to the token. Throws failure.
  static std::shared_ptr<identity> open(identity_options options);
  ~identity();
  identity(const identity&) = delete;
  identity& operator=(const identity&) = delete;

  // Never null: what the key is stays known after `close`.
  [[nodiscard]] const std::shared_ptr<token_key>& key() const { return key_; }
  // Leaf first; empty where it was opened without certificate.
  [[nodiscard]] const std::vector<host::x509>& chain() const { return chain_; }
  [[nodiscard]] const std::string& certificate_pem() const { return certificate_pem_; }
  [[nodiscard]] const std::string& key_pem() const { return key_pem_; }
  // "EC P-256", "RSA 2048", "Ed25519".
  [[nodiscard]] const std::string& key_name() const { return key_name_; }

  // `method_pkey` gives the key by libp11, made when it is first asked for; it signs until `close`.
  // Throws failure (LEGACY_UNUSABLE). `hybrid_or_method_pkey` gives a hybrid key, or that where this
  // OpenSSL cannot make one.
  [[nodiscard]] host::pkey method_pkey();
  [[nodiscard]] host::pkey hybrid_or_method_pkey();

  // `write_files` writes certificate.pem and key.pem into `directory`. Throws failure
  // (FILE_UNREADABLE; BAD_ARGUMENT where none is named).
  void write_files(const std::string& directory) const;

  // `close` ends it; again: nothing. No event comes any more when it returns.
  void close();
  // `at_close` calls a function when the identity is closed; at once, if it is already. It must not
  // throw.
  void at_close(std::function<void()> function);

 private:
  explicit identity(std::shared_ptr<token_key> key) : key_(std::move(key)) {}
  void subscribe(std::function<void(const hsmtls_p11_event&)> on_event);

  std::shared_ptr<token_key> key_;
  std::vector<host::x509> chain_;
  std::string certificate_pem_;
  std::string key_pem_;
  std::string key_name_;
  std::function<void(const hsmtls_p11_event&)> on_event_;
  std::mutex closing_;  // one thread closes, a second waits for it

  std::mutex mutex_;  // guards what is below
  bool closed_ = false;
  std::vector<std::function<void()>> at_close_;
  std::unique_ptr<method_key> method_;
};

}  // namespace hsmtls::keys
