// A vendor's PKCS#11 module: loaded once, initialised and finalised by us, never unloaded (its
// destructors would run under threads that still sign).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/vendor/gate.hpp"
#include "core/pkcs11/vendor/quirks.hpp"

namespace hsmtls::pkcs11 {

// `invoke` calls one function of a vendor's list. A vendor may leave an entry empty.
template <class Function, class... Arguments>
CK_RV invoke(Function function, Arguments... arguments) {
  return function != nullptr ? function(arguments...) : CKR_FUNCTION_NOT_SUPPORTED;
}

class vendor_module {
 public:
  // Somebody who must know that every session of the module is gone. Called with the gate's lock
  // held.
  class listener {
   public:
    virtual void library_restarted() noexcept = 0;
    // Whether this one has sessions that work. Called with the gate's lock held.
    [[nodiscard]] virtual bool working() const noexcept = 0;

   protected:
    ~listener() = default;
  };

  enum class restart { done, failed, busy, not_ours, too_soon };

  // `load` brings the module in and reads its function lists. On failure returns null, says in `why`
  // which file it is and what is wrong with it, and leaves nothing behind. `ourselves` is the list
  // that this library gives out.
  static std::unique_ptr<vendor_module> load(const std::string& path,
                                             const CK_FUNCTION_LIST* ourselves,
                                             std::string& why);

  // `again` gives a forked child what its parent had loaded: by what is in its memory already, as
  // the path may lead elsewhere by now.
  static std::unique_ptr<vendor_module> again(const vendor_module& parents);

  // Only of one that was never used, because its file was loaded before.
  ~vendor_module();
  vendor_module(const vendor_module&) = delete;
  vendor_module& operator=(const vendor_module&) = delete;

  // What a forked child finds in its memory of its parent's use of the module.
  enum class heritage {
    none,
    ours,     // initialised by the parent through us
    foreign,  // initialised by somebody else
    deadly,   // a call from the child would harm the parent
  };

  // `initialise` calls C_Initialize with CKF_OS_LOCKING_OK and the application's `reserved`, unless
  // that was done. CKR_CRYPTOKI_ALREADY_INITIALIZED from the vendor is CKR_OK here: somebody else
  // in the process uses the module directly, and we shall never finalise it. Waits for a thread
  // that is just doing it until `until`, then CKR_FUNCTION_FAILED.
  CK_RV initialise(void* reserved, heritage inherited, time_point until);

  // `finalise` drains (until `until`) and calls C_Finalize, unless a call is stuck inside or
  // somebody else initialised the module.
  void finalise(time_point until);

  // `reinitialise` is rung 2 of the recovery ladder: drain, C_Finalize, C_Initialize.
  // Single-flight; rate- limited (20 ms, doubling to 1 s until `worked` is called; 20 ms always for
  // one who is `fresh`, that is, who has not been waiting). On `done` every listener was told. `rv`
  // is C_Initialize's answer on `failed`. `library_gone`: the vendor itself said that it is not
  // initialised (somebody else finalised it), so there is nothing to drain for and nothing to
  // finalise.
  restart reinitialise(time_point until, bool library_gone, bool fresh, CK_RV& rv);
  // `restarts` counts the lives of the vendor's library: real handles of another one mean something
  // else. With the gate's lock held.
  [[nodiscard]] uint64_t restarts() const { return restarts_; }
  void worked() { restart_pause_ = first_restart_pause; }  // with the gate's lock held

  // `call` makes a call that is not for one token (C_GetSlotList, C_GetInfo). Waits for a restart
  // to end; CKR_FUNCTION_FAILED if that takes longer than `until`.
  template <class Function>
  CK_RV call(time_point until, Function&& function) {
    gate::call one;
    if (const CK_RV rv = enter(one, until); rv != CKR_OK) return rv;
    const CK_RV rv = function(*functions_);
    auto held = gate_.hold();
    gate_.leave(one);
    return rv;
  }

  [[nodiscard]] gate& door() { return gate_; }
  [[nodiscard]] const CK_FUNCTION_LIST& functions() const { return *functions_; }
  // Null where the vendor offers no PKCS#11 v3.0 interface.
  [[nodiscard]] const CK_FUNCTION_LIST_3_0* functions_v3() const { return functions_v3_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const quirks& known_quirks() const { return quirks_; }  // with the gate's lock held

  // `left_behind` tells what a child finds. Called in the child on its parent's module, without the
  // lock: that is the parent's, too.
  [[nodiscard]] heritage left_behind() const;

  // All below: with the gate's lock held.
  // `up` tells whether the module is initialised, as far as we know.
  [[nodiscard]] bool up() const { return initialised_; }
  // `overdue` tells whether C_Initialize or C_Finalize runs, and for suspiciously long.
  [[nodiscard]] bool overdue() const;
  void add_listener(listener* one);  // `one` lives as long as the module
  [[nodiscard]] bool another_works(const listener* than) const;

 private:
  static constexpr milliseconds first_restart_pause{20};
  static constexpr milliseconds longest_restart_pause{1000};

  vendor_module() = default;
  CK_RV enter(gate::call& one, time_point until);
  CK_RV call_initialise() const;
  CK_RV start_anew(heritage inherited, quirks& found, bool& foreign) const;
  void close_all_sessions() const;
  [[nodiscard]] bool settled() const;

  void* library_ = nullptr;  // what dlopen gave
  std::string path_;
  const CK_FUNCTION_LIST* functions_ = nullptr;
  const CK_FUNCTION_LIST_3_0* functions_v3_ = nullptr;
  quirks quirks_;
  gate gate_;
  // Below: guarded by the gate's lock.
  void* reserved_ = nullptr;
  bool initialised_ = false;
  bool foreign_ = false;     // somebody else's C_Initialize
  bool left_up_ = false;     // ours, but not finalised: a call was stuck inside
  bool starting_ = false;    // the first C_Initialize runs
  bool given_up_ = false;    // it runs for so long that somebody's time came
  time_point busy_since_{};  // since when C_Initialize or C_Finalize runs
  std::vector<listener*> listeners_;
  uint64_t restarts_ = 0;
  time_point last_restart_{};
  milliseconds restart_pause_ = first_restart_pause;
};

}  // namespace hsmtls::pkcs11
