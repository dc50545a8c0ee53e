#include "core/pkcs11/vendor/gate.hpp"

namespace hsmtls::pkcs11 {

gate::call::~call() {
  if (in == nullptr) return;
  auto held = in->hold();
  in->leave(*this);
}

void gate::enter(call& one) {
  one.in = this;
  one.next = inside_;
  if (inside_ != nullptr) inside_->previous = &one;
  inside_ = &one;
}

void gate::leave(call& one) {
  if (one.previous != nullptr) one.previous->next = one.next;
  if (one.next != nullptr) one.next->previous = one.previous;
  if (inside_ == &one) inside_ = one.next;
  one.in = nullptr;
  one.next = one.previous = nullptr;
  announce();
}

bool gate::drain(lock& held, time_point until, const void* owner) {
  const auto of_owner = [&](const call& one) { return owner == nullptr || one.owner == owner; };
  wait(held, until, [&] {
    return !any([&](const call& one) { return of_owner(one) && !one.stuck; });
  });
  bool clear = true;
  for (call* one = inside_; one != nullptr; one = one->next) {
    if (!of_owner(*one)) continue;
    one->stuck = true;
    clear = false;
  }
  return clear;
}

void gate::hold_for_fork(lock& held, time_point until) {
  ++forks_;
  wait(held, until, [&] { return !any([](const call& one) { return !one.stuck; }); });
}

void gate::go_on_after_fork() {
  --forks_;
  announce();
}

bool gate::is_stuck(const void* owner, CK_SESSION_HANDLE session) const {
  return any(
      [&](const call& one) { return one.stuck && one.owner == owner && one.session == session; });
}

bool gate::any_stuck() const {
  return any([](const call& one) { return one.stuck; });
}

}  // namespace hsmtls::pkcs11
