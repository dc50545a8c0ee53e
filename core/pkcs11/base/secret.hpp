// Memory for a PIN: pages of its own, locked, left out of core dumps, wiped before they go. Not
// wiped on fork: a prefork worker has to log in again by itself and can no longer read root's file.
// A child's copy is locked like its parent's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hsmtls::pkcs11 {

class secret {
 public:
  secret() = default;
  // Copies `bytes`. Throws std::bad_alloc. Where RLIMIT_MEMLOCK forbids locking, goes on without.
  explicit secret(std::span<const uint8_t> bytes);
  secret(secret&& other) noexcept;
  secret& operator=(secret&& other) noexcept;
  ~secret();

  [[nodiscard]] std::span<const uint8_t> bytes() const { return {memory_, size_}; }
  [[nodiscard]] bool equals(std::span<const uint8_t> other) const;
  // True also for an empty PIN that was stored; false for a default-constructed or moved-from
  // secret.
  explicit operator bool() const { return memory_ != nullptr; }

 private:
  void release() noexcept;

  uint8_t* memory_ = nullptr;
  size_t size_ = 0;
  size_t mapped_ = 0;
};

}  // namespace hsmtls::pkcs11
