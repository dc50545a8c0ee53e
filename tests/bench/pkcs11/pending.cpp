#include "tests/bench/pkcs11/pending.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "core/pkcs11/private/hsmtls_pkcs11.h"
#include "tests/support/module.hpp"

namespace hsmtls::bench {
namespace {

using steady = std::chrono::steady_clock;

// Who waits for completions, since a callback must not start the next signature itself.
class counter {
 public:
  static void done(
      void* user, int32_t code, const uint8_t*, uint32_t, const hsmtls_p11_error* error) {
    auto* mine = static_cast<counter*>(user);
    const std::lock_guard held(mine->mutex_);
    --mine->under_way_;
    if (code == HSMTLS_P11_OK) ++mine->made_;
    if (error != nullptr) mine->failure_ = error->message;
    mine->changed_.notify_one();
  }

  void started() {
    const std::lock_guard held(mutex_);
    ++under_way_;
  }
  // Waits until fewer than `most` are under way.
  void wait_for_room(int most) {
    std::unique_lock held(mutex_);
    changed_.wait(held, [&] { return under_way_ < most; });
    if (!failure_.empty()) throw std::runtime_error(failure_);
  }
  [[nodiscard]] std::uint64_t made() {
    const std::lock_guard held(mutex_);
    return made_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int under_way_ = 0;
  std::uint64_t made_ = 0;
  std::string failure_;
};

}  // namespace

pending_result sign_pending(const pending_options& with) {
  const test::module_under_test module(with.module);
  const auto table = module.symbol<const hsmtls_p11_functions* (*)()>("hsmtls_pkcs11_functions");
  if (table == nullptr || table() == nullptr)
    throw std::runtime_error(with.module + " has no private face");
  const hsmtls_p11_functions& face = *table();

  hsmtls_p11_login login{};
  login.struct_size = sizeof login;
  login.pin = reinterpret_cast<const uint8_t*>(with.pin.data());
  login.pin_len = static_cast<uint32_t>(with.pin.size());
  hsmtls_p11_error error{};
  hsmtls_p11_key* key = nullptr;
  if (face.key_open(with.uri.c_str(), &login, 0, &key, &error) != HSMTLS_P11_OK)
    throw std::runtime_error(error.message);

  counter count;
  const hsmtls_p11_signature_spec ecdsa{HSMTLS_P11_SIGN_ECDSA, 0, 0};
  const uint8_t digest[32] = {1, 2, 3};
  constexpr uint32_t patience_ms = 60'000;
  const auto began = steady::now();
  while (steady::now() - began < with.how_long) {
    count.wait_for_room(with.pending);
    count.started();
    const int32_t started = face.key_sign_async(
        key, &ecdsa, digest, sizeof digest, patience_ms, counter::done, &count, nullptr, &error);
    if (started != HSMTLS_P11_OK) throw std::runtime_error(error.message);
  }
  count.wait_for_room(1);
  const std::chrono::duration<double> took = steady::now() - began;
  face.key_release(key);
  return {count.made(), took.count()};
}

}  // namespace hsmtls::bench
