// Signatures that run on threads of ours: the caller's loop goes on.
#pragma once

#include <atomic>
#include <memory>

#include "core/pkcs11/private/key.hpp"

namespace hsmtls::pkcs11 {

// One asynchronous signature. Finished exactly once: by its worker, by its deadline, or by being
// cancelled.
class async_signature : public std::enable_shared_from_this<async_signature> {
 public:
  async_signature(std::shared_ptr<key> with,
                  const hsmtls_p11_signature_spec& spec,
                  std::span<const uint8_t> data,
                  time_point until,
                  hsmtls_p11_signed_fn done,
                  void* user)
      : key_(std::move(with)),
        spec_(spec),
        data_(data.begin(), data.end()),
        until_(until),
        done_(done),
        user_(user) {}

  [[nodiscard]] time_point until() const { return until_; }
  [[nodiscard]] key& with() const { return *key_; }
  [[nodiscard]] bool finished() const { return finished_.load(); }

  // `run` signs, on a worker.
  void run() noexcept;
  // `give_up` finishes it with `why`, unless it is finished, and takes it off its workers' hands.
  void give_up(const failure& why) noexcept;
  void cancel();
  // `withdraw` takes it back before anybody was told; returns whether that was still possible.
  bool withdraw() { return !finished_.exchange(true); }

 private:
  void finish(int32_t code, std::span<const uint8_t> signature, const failure* why) noexcept;

  const std::shared_ptr<key> key_;
  const hsmtls_p11_signature_spec spec_;
  const bytes data_;
  const time_point until_;
  const hsmtls_p11_signed_fn done_;
  void* const user_;
  std::atomic<bool> finished_{false};
};

// `start` hands a signature to the workers of its key's token. Throws NO_MEMORY if no thread can be
// had.
void start(const std::shared_ptr<async_signature>& one);

}  // namespace hsmtls::pkcs11
