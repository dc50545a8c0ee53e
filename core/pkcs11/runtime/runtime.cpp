#include "core/pkcs11/runtime/runtime.hpp"

#include <sys/auxv.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/runtime/exit_guard.hpp"
#include "core/pkcs11/runtime/fork_guard.hpp"
#include "core/pkcs11/runtime/instance.hpp"
#include "core/pkcs11/vendor/slot_list.hpp"

namespace hsmtls::pkcs11 {
namespace {

std::atomic<runtime*> this_process{nullptr};
std::atomic<const runtime*> parent_process{nullptr};

// Handlers are never unregistered, and an application may initialise and finalise for ever: those
// that the vendors register come with their first few calls.
constexpr int most_armings = 32;
std::atomic<int> armings{0};

void arm_guards() {
  if (armings.fetch_add(1) >= most_armings) return;
  arm_exit_guard();
  arm_fork_guard();
}

// For a module that is new in the process, however long that runs.
void arm_guards_anew() {
  armings = 0;
  arm_guards();
}

// Sets a flag that others wait for, and takes it back in any case.
class raised {
 public:
  raised(std::mutex& mutex, std::condition_variable& changed, bool& flag)
      : mutex_(mutex), changed_(changed), flag_(flag) {
    flag_ = true;
  }
  ~raised() {
    {
      std::lock_guard held(mutex_);
      flag_ = false;
    }
    changed_.notify_all();
  }
  raised(const raised&) = delete;
  raised& operator=(const raised&) = delete;

 private:
  std::mutex& mutex_;
  std::condition_variable& changed_;
  bool& flag_;
};

// What this thread does right now: a vendor's module that leads back here must not wait for itself.
thread_local bool loads = false;
thread_local bool initialises = false;

class doing {
 public:
  explicit doing(bool& what) : what_(what) { what_ = true; }
  ~doing() { what_ = false; }
  doing(const doing&) = delete;
  doing& operator=(const doing&) = delete;

 private:
  bool& what_;
};

using sentences = std::vector<std::string>;

constexpr const char* leads_back =
    "HSMTLS_MODULE or the program names a module that calls hsmtls in turn (p11-kit-proxy with "
    "hsmtls in its configuration, say). Name the module of your token's vendor itself";

// Where nothing works, and who asked passes it on, that is enough; what others make up for must be
// seen all the same.
void tell(const sentences& problems, CK_RV rv, std::string* why) {
  for (const std::string& one : problems) {
    if (rv == CKR_OK || why == nullptr) {
      log::complain(one);
      continue;
    }
    log::event(log::level::error, "setup", "problem", one);
    *why += (why->empty() ? "" : ". ") + one;
  }
}

// What attaching comes to, with what there is to say about it.
template <class Attach>
CK_RV attach_telling(std::string* why, Attach&& attach) {
  sentences problems;
  CK_RV rv = CKR_FUNCTION_FAILED;
  if (initialises) {
    problems.emplace_back(leads_back);
  } else {
    const doing it(initialises);
    rv = attach(problems);
  }
  tell(problems, rv, why);
  return rv;
}

const CK_FUNCTION_LIST* our_own_list() {
  CK_FUNCTION_LIST* ourselves = nullptr;
  if (const instance_record* us = owner()) us->get_function_list(&ourselves);
  return ourselves;
}

}  // namespace

runtime::runtime(const runtime* parent) : parent_(parent) {
  if (parent == nullptr) return;
  for (const known_module& one : parent->modules_) {
    if (!one.configured) modules_.push_back({vendor_module::again(*one.module), false});
  }
  views_ = parent->views_;
  next_view_ = parent->next_view_;
}

runtime& runtime::current() {
  runtime* existing = this_process.load();
  if (existing != nullptr) return *existing;
  std::unique_ptr<runtime> fresh(new runtime(parent_process.load()));
  if (this_process.compare_exchange_strong(existing, fresh.get())) return *fresh.release();
  return *existing;
}

CK_RV runtime::load(face who) {
  sentences problems;
  const CK_RV rv = load(who, problems);
  tell(problems, rv, nullptr);
  return rv;
}

CK_RV runtime::load(face who, sentences& problems) {
  if (loads) {
    problems.emplace_back(leads_back);
    return CKR_FUNCTION_FAILED;
  }
  std::unique_lock held(mutex_);
  if (!changed_.wait_until(held, steady::now() + settings().deadline, [&] { return !loading_; })) {
    return CKR_FUNCTION_FAILED;
  }
  const auto any_for = [&](face one) {
    return std::any_of(modules_.begin(), modules_.end(), [&](const known_module& known) {
      return one == face::private_abi || known.configured;
    });
  };
  if (any_for(face::front)) return CKR_OK;
  // Who has other modules, or a view of one, does not miss one that nobody configured.
  if (settings().modules.empty() && (any_for(who) || !views_.empty())) return CKR_OK;
  const raised flag(mutex_, changed_, loading_);
  held.unlock();
  const doing it(loads);
  modules_list loaded = load_configured(problems);
  held.lock();
  for (auto& one : loaded) keep(one, true);
  const CK_RV rv = any_for(who) ? CKR_OK : CKR_GENERAL_ERROR;
  held.unlock();
  return rv;
}

vendor_module* runtime::keep(std::unique_ptr<vendor_module>& fresh, bool configured) {
  for (known_module& one : modules_) {
    // By a symbolic link or another name: one file is loaded once, and has one list.
    if (&one.module->functions() != &fresh->functions()) continue;
    one.configured = one.configured || configured;
    return one.module.get();
  }
  if (exiting_) {
    auto held = fresh->door().hold();
    fresh->door().go_to(gate::phase::closed);
  }
  modules_.push_back({std::move(fresh), configured});
  return modules_.back().module.get();
}

vendor_module* runtime::add(const std::string& path, std::string& why) {
  if (loads) {
    log::complain(leads_back);
    why = quoted_path(path) + " cannot be loaded from inside of a module that is being loaded";
    return nullptr;
  }
  // First those that the front sees, too: what is configured is not added.
  if (!settings().modules.empty() && load(face::front) == CKR_FUNCTION_FAILED) {
    why = quoted_path(path) +
          " has to wait for the modules that HSMTLS_MODULE names, and that takes longer than the "
          "deadline";
    return nullptr;
  }
  {
    std::lock_guard held(mutex_);
    for (const known_module& one : modules_) {
      if (one.module->path() == path) return one.module.get();
    }
  }
  const doing it(loads);
  auto fresh = vendor_module::load(path, our_own_list(), why);
  if (fresh == nullptr) return nullptr;
  const vendor_module* const loaded = fresh.get();
  vendor_module* kept = nullptr;
  {
    std::lock_guard held(mutex_);
    kept = keep(fresh, false);
  }
  if (kept == loaded) arm_guards_anew();
  return kept;
}

runtime::modules_list runtime::load_configured(sentences& problems) {
  for (const std::string& one : settings().problems) log::complain(one);
  if (settings().modules.empty()) {
    // PKCS#11 needs no environment to be trusted, this variable does: it names code to run.
    problems.emplace_back(
        getauxval(AT_SECURE) != 0
            ? "HSMTLS_MODULE is ignored in a set-uid or set-gid program and in one with file "
              "capabilities (setcap). A service gets capabilities without that by systemd's "
              "AmbientCapabilities="
            : "HSMTLS_MODULE is not set. It names the PKCS#11 module of your token's vendor, for "
              "example HSMTLS_MODULE=/usr/lib/softhsm/libsofthsm2.so");
    return {};
  }
  modules_list loaded;
  for (const std::string& path : settings().modules) {
    std::string why;
    if (auto module = vendor_module::load(path, our_own_list(), why)) {
      // After each load: our handlers have to run before the destructors of what was just loaded.
      arm_guards();
      loaded.push_back(std::move(module));
    } else {
      problems.push_back("HSMTLS_MODULE: " + why +
                         ". Name the module of your token's vendor, for example "
                         "/usr/lib/softhsm/libsofthsm2.so");
    }
  }
  return loaded;
}

CK_RV runtime::attach(void* reserved, face who, std::string* why) {
  const time_point until = steady::now() + settings().deadline;
  return attach_telling(why, [&](sentences& problems) {
    if (const CK_RV rv = load(who, problems); rv != CKR_OK) return rv;
    return attach_to(reserved, modules(who), until, problems);
  });
}

CK_RV runtime::attach_to(vendor_module& only, std::string* why) {
  return attach_telling(why, [&](sentences& problems) {
    return attach_to(nullptr, {&only}, steady::now() + settings().deadline, problems);
  });
}

CK_RV runtime::attach_to(void* reserved,
                         const std::vector<vendor_module*>& which,
                         time_point until,
                         sentences& problems) {
  {
    std::unique_lock held(mutex_);
    if (!changed_.wait_until(held, until, [&] { return !stopping_; })) return CKR_FUNCTION_FAILED;
    // Counted before it works, so that the last of the others does not finalise under us.
    ++users_;
  }
  const CK_RV rv = initialise_modules(reserved, which, until, problems);
  if (rv != CKR_OK) detach();
  return rv;
}

CK_RV runtime::initialise_modules(void* reserved,
                                  const std::vector<vendor_module*>& which,
                                  time_point until,
                                  sentences& problems) {
  CK_RV last = CKR_GENERAL_ERROR;
  bool any = false;
  struct attempt {
    vendor_module* module;
    vendor_module::heritage from_parent;
    CK_RV rv;
  };
  std::vector<attempt> failed;
  for (vendor_module* module : which) {
    const auto from_parent = inherited(module->path());
    if (from_parent == vendor_module::heritage::deadly) {
      problems.push_back("this process was forked from one that uses " +
                         quoted_path(module->path()) +
                         ", which cannot be shared with a child: the parent would fail. Open the "
                         "key in the child only, or fork and exec");
      last = CKR_FUNCTION_FAILED;
      continue;
    }
    const CK_RV rv = module->initialise(reserved, from_parent, steady::now());
    if (rv == CKR_OK)
      any = true;
    else
      failed.push_back({module, from_parent, rv});
  }
  for (attempt& one : failed) {
    // A module that another thread was just initialising comes last: it may hang.
    if (one.rv == CKR_FUNCTION_FAILED)
      one.rv = one.module->initialise(reserved, one.from_parent, until);
    if (one.rv == CKR_OK) {
      any = true;
      continue;
    }
    last = one.rv;
    // To the application it looks as if its tokens were not there.
    const bool named = [&] {
      std::lock_guard held(mutex_);
      return sees(face::front, *one.module);
    }();
    problems.push_back((named ? "HSMTLS_MODULE: C_Initialize of " : "C_Initialize of ") +
                       quoted_path(one.module->path()) + " returned " + rv_name(one.rv) +
                       ", so its tokens are not to be had");
  }
  // Again: C_Initialize may have registered handlers (libcrypto's, say) that must run after ours.
  arm_guards();
  return any || which.empty() ? CKR_OK : last;
}

vendor_module::heritage runtime::inherited(const std::string& path) const {
  for (const runtime* one = parent_; one != nullptr; one = one->parent_) {
    for (const known_module& known : one->modules_) {
      if (known.module->path() != path) continue;
      const auto left = known.module->left_behind();
      if (left != vendor_module::heritage::none) return left;
    }
  }
  return vendor_module::heritage::none;
}

void runtime::detach() {
  std::unique_lock held(mutex_);
  if (users_ == 0 || --users_ > 0) return;
  const raised flag(mutex_, changed_, stopping_);
  held.unlock();
  for (vendor_module* module : modules(face::private_abi))
    module->finalise(steady::now() + settings().deadline);
  for (token* one : tokens(face::private_abi)) one->forget();
}

bool runtime::sees(face who, const vendor_module& module) const {
  return who == face::private_abi ||
         std::any_of(modules_.begin(), modules_.end(), [&](const known_module& one) {
           return one.configured && one.module.get() == &module;
         });
}

std::vector<vendor_module*> runtime::modules(face who) {
  std::lock_guard held(mutex_);
  std::vector<vendor_module*> all;
  for (const known_module& one : modules_) {
    if (sees(who, *one.module)) all.push_back(one.module.get());
  }
  return all;
}

std::vector<token*> runtime::tokens(face who) {
  std::lock_guard held(mutex_);
  std::vector<token*> all;
  for (token& one : tokens_) {
    if (sees(who, one.module())) all.push_back(&one);
  }
  return all;
}

CK_RV runtime::slots(const std::vector<vendor_module*>& of,
                     bool with_token,
                     time_point until,
                     std::vector<slot>& out) {
  out.clear();
  CK_RV answer = of.empty() ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
  for (vendor_module* module : of) {
    std::vector<CK_SLOT_ID> real;
    const auto list = [&](const CK_FUNCTION_LIST& vendor) {
      return list_slots(vendor, with_token, real);
    };
    CK_RV rv = module->call(until, list);
    if (rv == CKR_CRYPTOKI_NOT_INITIALIZED) {  // somebody else in the process finalised the module
      CK_RV again = CKR_OK;
      module->reinitialise(until, true, true, again);
      rv = module->call(until, list);
    }
    if (rv == CKR_OK || answer != CKR_OK) answer = rv;
    if (rv != CKR_OK) continue;
    for (const CK_SLOT_ID one : real) out.push_back(slot_for(*module, one, real, until));
  }
  // The caller did initialise us.
  return answer == CKR_CRYPTOKI_NOT_INITIALIZED ? CKR_FUNCTION_FAILED : answer;
}

const runtime::slot* runtime::slot_of(const vendor_module& module, CK_SLOT_ID real) const {
  for (const slot& one : slots_) {
    if (&one.behind->module() == &module && one.behind->slot() == real) return &one;
  }
  return nullptr;
}

runtime::slot runtime::slot_for(vendor_module& module,
                                CK_SLOT_ID real,
                                const std::vector<CK_SLOT_ID>& all_real,
                                time_point until) {
  {
    std::lock_guard held(mutex_);
    if (const slot* one = slot_of(module, real)) return *one;
  }
  // A new number may be a known token in another place: a module may number its slots anew when it
  // is initialised again.
  CK_TOKEN_INFO info{};
  const bool has_token = module.call(until, [&](const CK_FUNCTION_LIST& vendor) {
    return invoke(vendor.C_GetTokenInfo, real, &info);
  }) == CKR_OK;

  std::lock_guard held(mutex_);
  if (const slot* one = slot_of(module, real)) return *one;
  if (has_token) {
    for (const slot& one : slots_) {
      if (&one.behind->module() != &module) continue;
      const bool displaced =
          std::find(all_real.begin(), all_real.end(), one.behind->slot()) == all_real.end();
      if (displaced && one.behind->moved_to(real, token_identity::of(info))) return one;
    }
  }
  // The vendor's own number where it is free: people have it in their configuration. What was added
  // takes none from what is configured.
  CK_SLOT_ID id = real;
  const face who = sees(face::front, module) ? face::front : face::private_abi;
  const auto taken = [&] {
    return std::any_of(
               slots_.begin(),
               slots_.end(),
               [&](const slot& one) { return one.id == id && sees(who, one.behind->module()); }) ||
           is_view(id);
  };
  for (CK_SLOT_ID next = 0; taken(); ++next) id = next;
  token& made = tokens_.emplace_back(module, real);
  slots_.push_back({id, &made});
  return slots_.back();
}

CK_RV runtime::id_of(vendor_module& module, CK_SLOT_ID real, time_point until, CK_SLOT_ID& out) {
  std::vector<CK_SLOT_ID> present;
  {
    std::lock_guard held(mutex_);
    if (const slot* one = slot_of(module, real)) {
      out = one->id;
      return CKR_OK;
    }
  }
  // A token that looks the same may be another one, if ours is still where it was.
  const CK_RV rv = module.call(
      until, [&](const CK_FUNCTION_LIST& vendor) { return list_slots(vendor, true, present); });
  if (rv != CKR_OK) return rv;
  out = slot_for(module, real, present, until).id;
  return CKR_OK;
}

CK_SLOT_ID runtime::open_view(std::shared_ptr<view> one) {
  std::lock_guard held(mutex_);
  views_.emplace(next_view_, std::move(one));
  return next_view_++;
}

void runtime::close_view(CK_SLOT_ID id) {
  std::function<void(CK_SLOT_ID)> then;
  {
    std::lock_guard held(mutex_);
    views_.erase(id);
    then = view_closed_;
  }
  if (then) then(id);
}

void runtime::when_view_closes(std::function<void(CK_SLOT_ID)> then) {
  std::lock_guard held(mutex_);
  view_closed_ = std::move(then);
}

std::shared_ptr<view> runtime::find_view(CK_SLOT_ID id) {
  std::lock_guard held(mutex_);
  const auto at = views_.find(id);
  return at == views_.end() ? nullptr : at->second;
}

token* runtime::find(CK_SLOT_ID id) {
  std::lock_guard held(mutex_);
  for (const slot& one : slots_) {
    if (one.id == id && sees(face::front, one.behind->module())) return one.behind;
  }
  return nullptr;
}

void runtime::close_all(time_point until) noexcept {
  runtime* const process = this_process.load();
  if (process == nullptr) return;
  std::lock_guard listed(process->mutex_);
  process->exiting_ = true;
  for (const known_module& one : process->modules_) {
    auto held = one.module->door().hold();
    one.module->door().go_to(gate::phase::closed);
  }
  for (const known_module& one : process->modules_) {
    auto held = one.module->door().hold();
    one.module->door().drain(held, until, nullptr);
  }
}

runtime* runtime::hold_for_fork(time_point until) {
  runtime* const process = this_process.load();
  if (process == nullptr) return nullptr;
  // Kept until the fork is over: the child looks at what is in here.
  process->mutex_.lock();
  for (const known_module& one : process->modules_) {
    auto held = one.module->door().hold();
    one.module->door().hold_for_fork(held, until);
  }
  return process;
}

void runtime::go_on_after_fork() {
  for (const known_module& one : modules_) {
    auto held = one.module->door().hold();
    one.module->door().go_on_after_fork();
  }
  mutex_.unlock();
}

void runtime::start_anew_in_child() {
  // Not destroyed: its locks may be held by threads that exist only in the parent.
  if (const runtime* mine = this_process.exchange(nullptr)) parent_process = mine;
}

}  // namespace hsmtls::pkcs11
