// Work that blocks, as a promise.
#pragma once

#include <utility>

#include "bindings/node/values.hpp"

namespace hsmtls::node {

// Runs `run` of some Work on libuv's thread pool, then settles a promise on the JavaScript thread: with
// what `result` makes of it, or the failure. Deletes itself.
template <class Work>
class promised final : public Napi::AsyncWorker {
 public:
  template <class... Arguments>
  explicit promised(Napi::Env env, Arguments&&... arguments)
      : AsyncWorker(env, "hsmtls"), work_{std::forward<Arguments>(arguments)...}, promise_(env) {}
  Napi::Promise begin() {
    Queue();
    return promise_.Promise();
  }

 private:
  void Execute() override {
    hsmtls_error* taken = nullptr;
    code_ = work_.run(&taken);
    problem_.reset(taken);
  }
  void OnOK() override {
    if (code_ != HSMTLS_OK) return promise_.Reject(failure(Env(), code_, problem_.get()));
    promise_.Resolve(work_.result(Env()));
  }

  Work work_;
  Napi::Promise::Deferred promise_;
  int32_t code_ = HSMTLS_OK;
  problem problem_;
};

template <class Work, class... Arguments>
Napi::Value promise(Napi::Env env, Arguments&&... arguments) {
  return (new promised<Work>(env, std::forward<Arguments>(arguments)...))->begin();
}

}  // namespace hsmtls::node
