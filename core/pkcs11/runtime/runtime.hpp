// What exists once per process: the vendor modules, their tokens, and the slot numbers that we give
// out.
//
// A forked child gets a new, empty one: the parent's sessions are not its own, and another thread
// of the parent may have held any lock at the moment of the fork.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/runtime/view.hpp"
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

  // `attach` counts a user in (the first loads the configured modules, and calls C_Initialize of
  // those that it sees); `detach` counts one out (the last calls C_Finalize of all). `reserved` is
  // the application's pReserved; the first user's counts. Returns CKR_OK if at least one module
  // works, or where none is configured but a view is open. CKR_FUNCTION_FAILED if another thread is
  // doing it and does not come out within the deadline. What is wrong with modules is complained of
  // (base/log); where none works, it is said in `why` instead, if that is given.
  CK_RV attach(void* reserved, face who, std::string* why = nullptr);
  // The same for one who uses only this module.
  CK_RV attach_to(vendor_module& only, std::string* why);
  void detach();

  // `load` brings the configured modules in, without initialising them, and complains of what is
  // wrong with them. CKR_OK if there is any that `who` sees.
  CK_RV load(face who);

  // `add` brings in one more module that the private face sees, and only that; of a file that is
  // loaded already, by whatever name, it returns the module that is there. On failure returns null
  // and says in `why` which file it is and what is wrong with it.
  vendor_module* add(const std::string& path, std::string& why);

  // `slots` asks modules for their slots. CKR_OK if any answered.
  CK_RV slots(const std::vector<vendor_module*>& of,
              bool with_token,
              time_point until,
              std::vector<slot>& out);

  // `id_of` gives our number for a vendor's slot.
  CK_RV id_of(vendor_module& module, CK_SLOT_ID real, time_point until, CK_SLOT_ID& out);

  // `find` returns the token behind one of the slot numbers that the front gave out; null: it never
  // gave out this one.
  token* find(CK_SLOT_ID id);

  // Views, by the slot numbers that they have; a forked child has its parent's. `find_view` returns
  // null where there is none, or none any more. `when_view_closes` says what is to be done then,
  // on the thread that closes it.
  CK_SLOT_ID open_view(std::shared_ptr<view> one);
  void close_view(CK_SLOT_ID id);
  void when_view_closes(std::function<void(CK_SLOT_ID)> then);
  std::shared_ptr<view> find_view(CK_SLOT_ID id);

  // What each face sees: the front the configured modules, the private face those that were added,
  // too.
  [[nodiscard]] std::vector<vendor_module*> modules(face who);
  [[nodiscard]] std::vector<token*> tokens(face who);

  // `close_all` lets nobody in any more and waits for who is inside: the process exits.
  static void close_all(time_point until) noexcept;

  // `hold_for_fork` lets nobody in, waits for who is inside and returns the runtime that is to go
  // on after the fork, or null if there is none yet. `start_anew_in_child` leaves the parent's
  // behind.
  static runtime* hold_for_fork(time_point until);
  void go_on_after_fork();
  static void start_anew_in_child();

 private:
  struct known_module {
    std::unique_ptr<vendor_module> module;
    bool configured;  // HSMTLS_MODULE names it
  };
  using modules_list = std::vector<std::unique_ptr<vendor_module>>;

  // A child has what its parent added and opened: nobody does it again there.
  explicit runtime(const runtime* parent);
  // `problems` gets what is wrong with modules, to be told to somebody.
  CK_RV load(face who, std::vector<std::string>& problems);
  static modules_list load_configured(std::vector<std::string>& problems);
  CK_RV attach_to(void* reserved,
                  const std::vector<vendor_module*>& which,
                  time_point until,
                  std::vector<std::string>& problems);
  CK_RV initialise_modules(void* reserved,
                           const std::vector<vendor_module*>& which,
                           time_point until,
                           std::vector<std::string>& problems);
  // With the lock held: takes `fresh`, or leaves it with the caller and returns the module that is
  // there of the same file.
  vendor_module* keep(std::unique_ptr<vendor_module>& fresh, bool configured);
  [[nodiscard]] bool sees(face who, const vendor_module& module) const;
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
  bool loading_ = false;               // a thread brings the modules in
  bool stopping_ = false;              // a thread finalises them
  bool exiting_ = false;               // close_all was here
  std::vector<known_module> modules_;  // only grows: a module lives as long as the process
  std::map<CK_SLOT_ID, std::shared_ptr<view>> views_;
  CK_SLOT_ID next_view_ = first_view;
  std::function<void(CK_SLOT_ID)> view_closed_;
  std::deque<token> tokens_;  // never shrinks: tokens live as long as the process
  std::vector<slot> slots_;
};

}  // namespace hsmtls::pkcs11
