// What exists once per process: the vendor modules, their tokens, and the slot numbers that we give
// out.
//
// A forked child gets a new, empty one: the parent's sessions are not its own, and another thread
// of the parent may have held any lock at the moment of the fork.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/token/token.hpp"
#include "core/pkcs11/vendor/vendor_module.hpp"

namespace hsmtls::pkcs11 {

class runtime {
 public:
  // One of our slots: `id` is what we give out and never changes while the process lives; the token
  // behind it may move to another slot of its vendor.
  struct slot {
    CK_SLOT_ID id;
    token* behind;
  };

  // `current` returns this process's runtime. Any thread. Never destroyed.
  static runtime& current();

  // `attach` counts a user in (the first loads the modules and calls C_Initialize); `detach` counts
  // one out (the last calls C_Finalize). `reserved` is the application's pReserved; the first
  // user's counts. Returns CKR_OK if at least one module works; what is wrong with the others is in
  // the log. CKR_FUNCTION_FAILED if another thread is doing it and does not come out within the
  // deadline.
  CK_RV attach(void* reserved);
  void detach();

  // `load` brings the configured modules in, without initialising them. CKR_OK if any could be.
  CK_RV load();

  // `slots` asks every module for its slots. CKR_OK if any module answered.
  CK_RV slots(bool with_token, time_point until, std::vector<slot>& out);

  // `id_of` gives our number for a vendor's slot.
  CK_RV id_of(vendor_module& module, CK_SLOT_ID real, time_point until, CK_SLOT_ID& out);

  // `find` returns the token behind one of our slot numbers; null: no such slot was ever given out.
  token* find(CK_SLOT_ID id);

  [[nodiscard]] std::vector<vendor_module*> modules();
  [[nodiscard]] std::vector<token*> tokens();

  // `close_all` lets nobody in any more and waits for who is inside: the process exits.
  static void close_all(time_point until) noexcept;

  // `hold_for_fork` lets nobody in, waits for who is inside and returns the runtime that is to go
  // on after the fork, or null if there is none yet. `start_anew_in_child` leaves the parent's
  // behind.
  static runtime* hold_for_fork(time_point until);
  void go_on_after_fork();
  static void start_anew_in_child();

 private:
  using modules_list = std::vector<std::unique_ptr<vendor_module>>;

  explicit runtime(const runtime* parent) : parent_(parent) {}
  static modules_list load_configured();
  CK_RV initialise_modules(void* reserved, time_point until);
  [[nodiscard]] vendor_module::heritage inherited(const std::string& path) const;
  // Our slot for a vendor's, if we have one. With the lock held.
  [[nodiscard]] const slot* slot_of(const vendor_module& module, CK_SLOT_ID real) const;
  // Our slot for a vendor's, a new one if need be. `all_real`: where the vendor has tokens, or
  // slots; a known token whose slot is not among them may have moved here.
  slot slot_for(vendor_module& module,
                CK_SLOT_ID real,
                const std::vector<CK_SLOT_ID>& all_real,
                time_point until);

  const runtime* const parent_;  // of the process that we were forked from; only to be looked at

  std::mutex mutex_;  // guards what is below; never held across a vendor call
  std::condition_variable changed_;
  int users_ = 0;
  bool loading_ = false;      // a thread brings the modules in
  bool stopping_ = false;     // a thread finalises them
  modules_list modules_;      // empty, or complete and never changed again
  std::deque<token> tokens_;  // never shrinks: tokens live as long as the process
  std::vector<slot> slots_;
};

}  // namespace hsmtls::pkcs11
