// What this library knows of an SSL_CTX, and of a handshake: kept in their ex_data.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/keys/identity/identity.hpp"
#include "core/tls/session_cache.hpp"
#include "core/tls/trust.hpp"

namespace hsmtls::tls {

// Lives as long as its SSL_CTX. Any thread.
class context_state {
 public:
  // `of` returns the state of a context; null: none of ours. `attach` makes one if there is none.
  // Throws failure (NO_MEMORY).
  static context_state* of(const SSL_CTX* ssl_ctx);
  static context_state* of(const SSL* ssl);
  static context_state& attach(SSL_CTX* ssl_ctx);

  // Whose key signs for it: the identity that was applied last; null: none.
  void present(keys::identity* identity);
  [[nodiscard]] std::shared_ptr<keys::token_key> key() const;
  [[nodiscard]] std::shared_ptr<session_cache> sessions() const;

  // The trust that handshakes go by which begin now; null: the context is not of our making.
  [[nodiscard]] std::shared_ptr<const trust> trusted() const;
  void set_trust(trust_source source, std::shared_ptr<const trust> first);
  // Throws failure (TRUST_UNUSABLE); then nothing has changed.
  void reload_trust();
  // Whether `store` is the one that the context was made with, and not one that its user put in the
  // place of that.
  [[nodiscard]] bool is_first_store(const X509_STORE* store) const;

  // Written while the context is made.
  std::vector<uint8_t> alpn;
  bool resumes = false;

 private:
  mutable std::mutex mutex_;  // held for an instant
  std::shared_ptr<keys::token_key> key_;
  std::shared_ptr<session_cache> sessions_;
  std::shared_ptr<const trust> first_;
  std::shared_ptr<const trust> now_;

  std::mutex reading_;  // one after the other: what was read last is what counts
  trust_source source_;
};

// The trust by which the peer of this handshake was verified, and nothing else; null: it was not, or
// something of the application's had a say. `note_verified_by` throws std::bad_alloc.
std::shared_ptr<const trust> verified_by(const SSL* ssl);
void note_verified_by(SSL* ssl, std::shared_ptr<const trust> by);

}  // namespace hsmtls::tls
