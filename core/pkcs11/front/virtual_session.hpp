// A session as the application has it. It lives until the application closes it, whatever happens
// to the token; the real session behind it is on loan while something is bound to it: a running
// operation, a session object.
#pragma once

#include <array>
#include <bitset>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "core/pkcs11/front/mechanism.hpp"
#include "core/pkcs11/runtime/view.hpp"
#include "core/pkcs11/token/object.hpp"
#include "core/pkcs11/token/token.hpp"

namespace hsmtls::pkcs11 {

enum class operation {
  find,
  encrypt,
  decrypt,
  digest,
  sign,
  sign_recover,
  verify,
  verify_recover,
  message_encrypt,
  message_decrypt,
  message_sign,
  message_verify,
};
inline constexpr size_t operation_count = static_cast<size_t>(operation::message_verify) + 1;

// How a vendor's C_*Init is called for a kind of operation.
using init_call = CK_RV (*)(const vendor_module&,
                            CK_SESSION_HANDLE,
                            CK_MECHANISM*,
                            CK_OBJECT_HANDLE);

// An operation that runs: what it takes to begin it again in another real session.
struct running_operation {
  init_call begin = nullptr;
  kept_mechanism mechanism;
  std::shared_ptr<object> key;  // null: the operation has none (digest, find)
  bool replayable = false;      // single-part so far, and all of it is kept
  bool context_login = false;   // CKU_CONTEXT_SPECIFIC was given for it
  uint64_t login_epoch = 0;     // in which it was begun: a private key's operation ends with it
};

class virtual_session {
 public:
  // `through`: the view that it was opened on; null: the token's own slot.
  virtual_session(CK_SLOT_ID slot, token& behind, CK_FLAGS flags, std::shared_ptr<view> through)
      : slot_(slot), token_(behind), flags_(flags), through_(std::move(through)) {}
  ~virtual_session();

  // Exclusive use of the session for one call; false if another thread's call did not end in time.
  class use {
   public:
    use(virtual_session& session, time_point until);
    ~use();
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    explicit operator bool() const { return session_ != nullptr; }

   private:
    virtual_session* session_;
  };

  [[nodiscard]] CK_SLOT_ID slot() const { return slot_; }
  [[nodiscard]] token& behind() const { return token_; }
  [[nodiscard]] view* through() const { return through_.get(); }
  [[nodiscard]] CK_FLAGS flags() const { return flags_; }
  // Who is logged in for it: the application on the token's own slot, and in a view its owner,
  // always.
  [[nodiscard]] std::optional<CK_USER_TYPE> logged_in() const {
    return through_ != nullptr ? CKU_USER : token_.logged_in(face::front);
  }
  [[nodiscard]] bool shows(const object& one) const {
    return through_ == nullptr || through_->shows(one.recipe());
  }
  [[nodiscard]] bool writable() const { return (flags_ & CKF_RW_SESSION) != 0; }

  // All below: within a use.
  [[nodiscard]] bool runs(operation which) const { return active_.test(index(which)); }
  [[nodiscard]] bool runs_any() const { return active_.any(); }
  // Whether it was begun in the real session that is on loan now: one that was lost with an earlier
  // one, but can be begun again, runs all the same.
  [[nodiscard]] bool is_begun(operation which) const { return begun_.test(index(which)); }
  // Whether something binds the application's session to the real one.
  [[nodiscard]] bool is_bound() const { return begun_.any() || session_objects_ > 0; }
  [[nodiscard]] std::bitset<operation_count> running_operations() const { return active_; }
  running_operation& running(operation which) { return running_[index(which)]; }
  void started(operation which, running_operation with);
  // `ended` says that an operation is over, by a call that answered `rv`. After an error the real
  // session is not lent to anybody else: not every vendor ends the operation as the standard says.
  void ended(operation which, CK_RV rv);
  void session_object_made() { ++session_objects_; }
  void session_object_destroyed() { session_objects_ -= session_objects_ > 0 ? 1 : 0; }

  // `real` is the session on loan; an empty lease if there is none now.
  [[nodiscard]] lease& real() { return real_; }
  // `take_real` makes sure that there is one. `life` as token::borrow sets it.
  CK_RV take_real(time_point until, uint64_t& life);
  // `lose_real` gives it up after a loss: what ran in it has ended, but for what can be begun again.
  void lose_real();
  // `give_back_real` gives it back if nothing binds it.
  void give_back_real();
  // `cancel_operations` ends what runs, and keeps session objects.
  void cancel_operations();

 private:
  void release_real();
  static size_t index(operation which) { return static_cast<size_t>(which); }

  const CK_SLOT_ID slot_;
  token& token_;
  const CK_FLAGS flags_;
  const std::shared_ptr<view> through_;

  std::mutex mutex_;
  std::condition_variable free_;
  bool in_use_ = false;

  // Owned by whoever has the use.
  lease real_;
  std::bitset<operation_count> active_;
  std::bitset<operation_count> begun_;  // those of them that real_ knows of
  std::array<running_operation, operation_count> running_;
  size_t session_objects_ = 0;
  bool dirty_ = false;  // the real session may still hold an operation
};

}  // namespace hsmtls::pkcs11
