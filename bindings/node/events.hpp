// What happens to an identity, told to a JavaScript function on its own thread.
#pragma once

#include <mutex>
#include <utility>

#include "bindings/node/values.hpp"

namespace hsmtls::node {

// Calls a function with (type, mechanism, microseconds), and does not keep the process alive.
class listener {
 public:
  listener(Napi::Env env, const Napi::Function& function) {
    shared_->calls =
        thread_safe::New(env, function, "hsmtls", 0, 1, nullptr, [kept = shared_](auto...) {
          const std::lock_guard lock(kept->mutex);
          kept->is_open = false;
        });
    shared_->calls.Unref(env);
  }
  // What was told before still arrives.
  ~listener() {
    const std::lock_guard lock(shared_->mutex);
    if (std::exchange(shared_->is_open, false)) shared_->calls.Release();
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  // For hsmtls_identity_options; any thread.
  static void tell(void* user, const hsmtls_event* event) {
    queue& to = *static_cast<listener*>(user)->shared_;
    auto told = std::make_unique<hsmtls_event>(*event);
    const std::lock_guard lock(to.mutex);
    if (to.is_open && to.calls.NonBlockingCall(told.get()) == napi_ok) (void)told.release();
  }
  static void end(void* user) { delete static_cast<listener*>(user); }

 private:
  static void call(Napi::Env env, Napi::Function function, listener*, hsmtls_event* event) {
    const std::unique_ptr<hsmtls_event> told(event);
    if (env == nullptr) return;  // the environment has ended
    function.Call({Napi::Number::New(env, told->type),
                   Napi::Number::New(env, told->mechanism),
                   Napi::Number::New(env, static_cast<double>(told->microseconds))});
  }
  using thread_safe = Napi::TypedThreadSafeFunction<listener, hsmtls_event, &listener::call>;

  // Node deletes `calls` when the environment ends (a Worker is terminated), whoever is about to tell.
  struct queue {
    std::mutex mutex;
    thread_safe calls;
    bool is_open = true;
  };
  std::shared_ptr<queue> shared_ = std::make_shared<queue>();
};

}  // namespace hsmtls::node
