#include "core/pkcs11/front/virtual_session.hpp"

#include <utility>

namespace hsmtls::pkcs11 {

virtual_session::~virtual_session() {
  // An operation that was never ended stays in the real session: nobody else may get that one.
  dirty_ = dirty_ || begun_.any();
  release_real();
}

void virtual_session::release_real() {
  if (dirty_) {
    real_.discard();
  } else {
    real_.give_back();
  }
  dirty_ = false;
}

virtual_session::use::use(virtual_session& session, time_point until) : session_(nullptr) {
  std::unique_lock held(session.mutex_);
  if (!session.free_.wait_until(held, until, [&] { return !session.in_use_; })) return;
  session.in_use_ = true;
  session_ = &session;
}

virtual_session::use::~use() {
  if (session_ == nullptr) return;
  // Nothing binds the application's session to a real one: others may have it.
  session_->give_back_real();
  std::lock_guard held(session_->mutex_);
  session_->in_use_ = false;
  session_->free_.notify_one();
}

void virtual_session::give_back_real() {
  if (!is_bound()) release_real();
}

void virtual_session::started(operation which, running_operation with) {
  active_.set(index(which));
  begun_.set(index(which));
  running_[index(which)] = std::move(with);
}

void virtual_session::ended(operation which, CK_RV rv) {
  // What a verification is for; of any other operation these two are as odd an answer as all the
  // rest.
  const bool verifying = which == operation::verify || which == operation::message_verify;
  const bool refused = rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE;
  const bool orderly = rv == CKR_OK || (verifying && refused);
  dirty_ = dirty_ || (begun_.test(index(which)) && !orderly);
  active_.reset(index(which));
  begun_.reset(index(which));
  running_[index(which)] = {};
}

CK_RV virtual_session::take_real(time_point until, uint64_t& life) {
  if (real_ && !token_.is_current(real_.life())) lose_real();  // others found the loss before us
  if (!real_) return token_.borrow(writable(), until, real_, life);
  life = real_.life();
  return CKR_OK;
}

void virtual_session::cancel_operations() {
  dirty_ = dirty_ || begun_.any();
  active_.reset();
  begun_.reset();
}

void virtual_session::lose_real() {
  real_.lose();
  begun_.reset();
  for (size_t i = 0; i < operation_count; ++i) {
    if (!running_[i].replayable) active_.reset(i);
  }
  session_objects_ = 0;
  dirty_ = false;
}

}  // namespace hsmtls::pkcs11
