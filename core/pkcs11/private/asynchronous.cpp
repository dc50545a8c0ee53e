#include "core/pkcs11/private/asynchronous.hpp"

#include <array>

#include "core/pkcs11/private/timekeeper.hpp"
#include "core/pkcs11/private/workers.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr size_t longest_signature = 1024;  // bytes: RSA of 8192 bits

}  // namespace

void async_signature::run() noexcept {
  if (finished()) return;  // cancelled, or too late, while it waited for a worker
  try {
    std::array<uint8_t, longest_signature> signature{};
    auto length = static_cast<uint32_t>(signature.size());
    key_->sign(spec_, data_, signature.data(), length, until_);
    finish(HSMTLS_P11_OK, {signature.data(), length}, nullptr);
  } catch (const failure& why) {
    finish(why.code(), {}, &why);
  } catch (...) {
    const failure why(HSMTLS_P11_INTERNAL, "an unexpected exception in a signature");
    finish(why.code(), {}, &why);
  }
}

void async_signature::give_up(const failure& why) noexcept {
  finish(why.code(), {}, &why);
  workers_of(key_->token_of_workers()).forget(*this);
}

void async_signature::cancel() {
  timekeeper::current().cancel(shared_from_this());
}

void async_signature::finish(int32_t code,
                             std::span<const uint8_t> signature,
                             const failure* why) noexcept {
  if (finished_.exchange(true)) return;
  hsmtls_p11_error error{};
  if (why != nullptr) describe_failure(*why, &error);
  done_(user_,
        code,
        signature.data(),
        static_cast<uint32_t>(signature.size()),
        why != nullptr ? &error : nullptr);
  timekeeper::current().forget(*this);
}

void start(const std::shared_ptr<async_signature>& one) {
  timekeeper::current().watch(one);
  try {
    workers_of(one->with().token_of_workers()).submit(one);
  } catch (...) {
    // The caller hears of it once: by what we throw, unless the deadline was faster.
    if (one->withdraw()) throw;
  }
}

}  // namespace hsmtls::pkcs11
