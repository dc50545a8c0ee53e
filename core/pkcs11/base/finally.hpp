// Something to be done however a scope is left.
#pragma once

#include <utility>

namespace hsmtls::pkcs11 {

// `finally` runs its action at the end of its scope, also when an exception passes through. The
// action must not throw.
template <class Action>
class finally {
 public:
  explicit finally(Action action) : action_(std::move(action)) {}
  ~finally() { action_(); }
  finally(const finally&) = delete;
  finally& operator=(const finally&) = delete;

 private:
  Action action_;
};

}  // namespace hsmtls::pkcs11
