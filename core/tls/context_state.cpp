#include "core/tls/context_state.hpp"

#include <new>

#include "core/keys/failure.hpp"

namespace hsmtls::tls {
namespace {

using host::crypto;
using host::ssl;

using verification_note = std::shared_ptr<const trust>;

void free_state(void* /*parent*/, void* state, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<context_state*>(state);
}
void free_note(void* /*parent*/, void* note, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<verification_note*>(note);
}
int copy_note(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** note, int, long, void*) {
  if (*note == nullptr) return 1;
  *note = new (std::nothrow) verification_note(*static_cast<verification_note*>(*note));
  return *note != nullptr ? 1 : 0;
}

// libcrypto never gives out number 0: that one is the application's.
int state_index() {
  static const int index = crypto().CRYPTO_get_ex_new_index(
      CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, free_state);
  return index;
}
int note_index() {
  static const int index = crypto().CRYPTO_get_ex_new_index(
      CRYPTO_EX_INDEX_SSL, 0, nullptr, nullptr, copy_note, free_note);
  return index;
}

}  // namespace

context_state* context_state::of(const SSL_CTX* ssl_ctx) {
  return static_cast<context_state*>(ssl().SSL_CTX_get_ex_data(ssl_ctx, state_index()));
}
context_state* context_state::of(const SSL* one) {
  return of(ssl().SSL_get_SSL_CTX(one));
}

context_state& context_state::attach(SSL_CTX* ssl_ctx) {
  if (context_state* const there = of(ssl_ctx)) return *there;
  auto made = std::make_unique<context_state>();
  if (ssl().SSL_CTX_set_ex_data(ssl_ctx, state_index(), made.get()) != 1) {
    throw failure(HSMTLS_NO_MEMORY, "no memory for an SSL context");
  }
  return *made.release();
}

void context_state::present(keys::identity* identity) {
  std::shared_ptr<session_cache> sessions = session_cache::of(identity);
  const std::lock_guard lock(mutex_);
  key_ = identity != nullptr ? identity->key() : nullptr;
  sessions_ = std::move(sessions);
}

std::shared_ptr<keys::token_key> context_state::key() const {
  const std::lock_guard lock(mutex_);
  return key_;
}
std::shared_ptr<session_cache> context_state::sessions() const {
  const std::lock_guard lock(mutex_);
  return sessions_;
}
std::shared_ptr<const trust> context_state::trusted() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void context_state::set_trust(trust_source source, std::shared_ptr<const trust> first) {
  source_ = std::move(source);
  const std::lock_guard lock(mutex_);
  first_ = first;
  now_ = std::move(first);
}

void context_state::reload_trust() {
  const std::lock_guard reading(reading_);
  std::shared_ptr<const trust> before = read_trust(source_);
  std::shared_ptr<session_cache> sessions;
  {
    const std::lock_guard lock(mutex_);
    now_.swap(before);
    if (now_->stamp != before->stamp) sessions = sessions_;
  }
  if (sessions) sessions->forget(before->stamp);
}

bool context_state::is_first_store(const X509_STORE* store) const {
  const std::lock_guard lock(mutex_);
  return first_ && first_->store.get() == store;
}

std::shared_ptr<const trust> verified_by(const SSL* one) {
  const void* const note = ssl().SSL_get_ex_data(one, note_index());
  return note != nullptr ? *static_cast<const verification_note*>(note) : nullptr;
}

void note_verified_by(SSL* one, std::shared_ptr<const trust> by) {
  if (void* const note = ssl().SSL_get_ex_data(one, note_index())) {
    *static_cast<verification_note*>(note) = std::move(by);
    return;
  }
  auto made = std::make_unique<verification_note>(std::move(by));
  if (ssl().SSL_set_ex_data(one, note_index(), made.get()) == 1) (void)made.release();
}

}  // namespace hsmtls::tls
