#include "core/pkcs11/vendor/vendor_module.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/vendor/loader.hpp"
#include "core/pkcs11/vendor/mixed_libcrypto.hpp"
#include "core/pkcs11/vendor/slot_list.hpp"

namespace hsmtls::pkcs11 {
namespace {

// How long a restart waits for calls in flight before it takes them for stuck.
constexpr milliseconds drain_grace{500};
// How long C_Initialize or C_Finalize may run before a caller whose time has come is told that they
// hang.
constexpr milliseconds patience{100};

const CK_FUNCTION_LIST_3_0* v3_list_of(void* library) {
  const auto get_interface = reinterpret_cast<CK_C_GetInterface>(dlsym(library, "C_GetInterface"));
  if (get_interface == nullptr) return nullptr;
  CK_VERSION version{3, 0};
  CK_INTERFACE* found = nullptr;
  auto* name = reinterpret_cast<CK_UTF8CHAR*>(const_cast<char*>("PKCS 11"));
  if (get_interface(name, &version, &found, 0) != CKR_OK || found == nullptr) return nullptr;
  const auto* list = static_cast<const CK_FUNCTION_LIST_3_0*>(found->pFunctionList);
  return list != nullptr && list->version.major == 3 ? list : nullptr;
}

bool is_elf(const std::string& path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  return std::string_view(magic, sizeof magic) == "\177ELF";
}

std::string why_not_loaded(const std::string& path, std::string_view reason) {
  // The loader's words begin with the file's name, which is said already.
  if (reason.starts_with(path + ": ")) reason.remove_prefix(path.size() + 2);
  std::error_code ignored;
  const bool no_library = std::filesystem::is_regular_file(path, ignored) &&
                          access(path.c_str(), R_OK) == 0 && !is_elf(path);
  return quoted_path(path) + (no_library ? " is not a PKCS#11 module: " : " cannot be loaded: ") +
         std::string(reason);
}

}  // namespace

std::unique_ptr<vendor_module> vendor_module::load(const std::string& path,
                                                   const CK_FUNCTION_LIST* ourselves,
                                                   std::string& why) {
  const int flags = vendor_dlopen_flags();
  void* library = dlopen(path.c_str(), flags);
  if (library == nullptr) {
    const char* const said = dlerror();
    // Copied at once: the next call of the loader, whoever makes it, frees the text.
    const std::string reason = said != nullptr ? said : "unknown reason";
    why = why_not_loaded(path, reason);
    return nullptr;
  }
  if ((flags & RTLD_DEEPBIND) != 0) {
    if (const std::string mixed = mixed_libcrypto(library); !mixed.empty()) {
      dlclose(library);
      why = quoted_path(path) + " cannot be used: " + mixed;
      return nullptr;
    }
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (get_list == nullptr) {
    dlclose(library);
    why = quoted_path(path) + " is not a PKCS#11 module: it has no C_GetFunctionList";
    return nullptr;
  }
  CK_FUNCTION_LIST* list = nullptr;
  if (const CK_RV rv = get_list(&list); rv != CKR_OK || list == nullptr) {
    dlclose(library);
    why = quoted_path(path) + " gives no function list: C_GetFunctionList returned " + rv_name(rv);
    return nullptr;
  }
  if (list == ourselves) {
    dlclose(library);
    why = quoted_path(path) + " is hsmtls itself (libhsmtls-pkcs11.so)";
    return nullptr;
  }
  std::unique_ptr<vendor_module> module(new vendor_module());
  module->library_ = library;
  module->path_ = path;
  module->functions_ = list;
  module->functions_v3_ = v3_list_of(library);
  return module;
}

std::unique_ptr<vendor_module> vendor_module::again(const vendor_module& parents) {
  std::unique_ptr<vendor_module> module(new vendor_module());
  module->path_ = parents.path_;
  module->functions_ = parents.functions_;
  module->functions_v3_ = parents.functions_v3_;
  return module;
}

vendor_module::~vendor_module() {
  if (library_ != nullptr) dlclose(library_);
}

CK_RV vendor_module::call_initialise() const {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;  // our callers' threads meet inside, whatever they asked for
  arguments.LibraryParameters = static_cast<CK_CHAR_PTR*>(reserved_);
  return invoke(functions_->C_Initialize, &arguments);
}

CK_RV vendor_module::start_anew(heritage inherited, quirks& found, bool& foreign) const {
  const auto read_quirks = [&] {
    CK_INFO info{};
    if (invoke(functions_->C_GetInfo, &info) != CKR_OK) return;
    found = quirks_of(unpadded(info.manufacturerID), unpadded(info.libraryDescription));
  };
  CK_RV rv = call_initialise();
  foreign = rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
  if (rv != CKR_OK && !foreign) return rv;
  read_quirks();
  if (foreign && inherited == heritage::ours && found.inherits_over_fork) {
    // The parent's sessions and login, copied by fork, and ours by heritage. Not C_Finalize and
    // C_Initialize: SoftHSM 2.6.1 loses a token whose files it reads while another worker logs in,
    // until it is initialised again.
    close_all_sessions();
    foreign = false;
    rv = CKR_OK;
  }
  return foreign ? CKR_OK : rv;
}

void vendor_module::close_all_sessions() const {
  std::vector<CK_SLOT_ID> slots;
  list_slots(*functions_, false, slots);
  for (const CK_SLOT_ID one : slots) invoke(functions_->C_CloseAllSessions, one);
}

bool vendor_module::settled() const {
  return gate_.state() == gate::phase::open && !starting_;
}

bool vendor_module::overdue() const {
  const bool busy = starting_ || gate_.state() == gate::phase::alone;
  return busy && steady::now() - busy_since_ > patience;
}

CK_RV vendor_module::initialise(void* reserved, heritage inherited, time_point until) {
  auto held = gate_.hold();
  const bool ready =
      gate_.wait(held, until, [&] { return settled() || gate_.state() == gate::phase::closed; });
  if (gate_.state() == gate::phase::closed || !ready) return CKR_FUNCTION_FAILED;
  if (initialised_) return CKR_OK;
  reserved_ = reserved;
  starting_ = true;
  given_up_ = false;
  busy_since_ = steady::now();
  gate::call one;  // so that an exiting process waits for it
  gate_.enter(one);
  held.unlock();

  quirks found;
  bool foreign = false;
  CK_RV rv = CKR_HOST_MEMORY;
  try {
    rv = start_anew(inherited, found, foreign);
  } catch (...) {  // no memory: as if C_Initialize had failed
  }

  held.lock();
  starting_ = given_up_ = false;
  initialised_ = rv == CKR_OK;
  if (initialised_) {
    foreign_ = foreign && !left_up_;
    left_up_ = false;
    quirks_ = found;
  }
  gate_.leave(one);
  if (!initialised_)
    log::event(log::level::error, "initialise", "module", path_, "rv", rv_name(rv));
  if (initialised_ && quirks_.forwards_finalise_nowhere) {
    log::event(
        log::level::warning,
        "proxy",
        "module",
        path_,
        "advice",
        "name the vendor's module itself: through p11-kit a lost token cannot be brought back");
  }
  return rv;
}

void vendor_module::finalise(time_point until) {
  auto held = gate_.hold();
  if (!initialised_ || gate_.state() == gate::phase::closed) return;
  gate_.wait(held, until, [&] { return settled() || gate_.state() == gate::phase::closed; });
  if (!settled()) return;  // somebody is restarting it and does not come out
  initialised_ = false;
  gate_.go_to(gate::phase::draining);
  const bool clear = gate_.drain(held, until, nullptr);
  if (gate_.state() == gate::phase::closed) return;  // the process exits meanwhile
  gate_.go_to(gate::phase::alone);
  left_up_ = !clear && !foreign_;
  busy_since_ = steady::now();
  gate::call one;
  gate_.enter(one);
  held.unlock();
  CK_RV ended = CKR_OK;
  if (clear && !foreign_) {
    ended = invoke(functions_->C_Finalize, nullptr);
  } else if (!clear) {
    log::event(
        log::level::warning, "finalise", "module", path_, "skipped", "a call never returned");
  }
  held.lock();
  // A module that would not be finalised is found up the next time, and is ours then, too.
  left_up_ = left_up_ || (ended != CKR_OK && ended != CKR_CRYPTOKI_NOT_INITIALIZED);
  ++restarts_;
  for (listener* each : listeners_) each->library_restarted();
  gate_.go_to(gate::phase::open);
  gate_.leave(one);
}

vendor_module::restart vendor_module::reinitialise(time_point until,
                                                   bool library_gone,
                                                   bool fresh,
                                                   CK_RV& rv) {
  auto held = gate_.hold();
  if (!library_gone && (foreign_ || quirks_.forwards_finalise_nowhere)) return restart::not_ours;
  if (gate_.state() != gate::phase::open || !initialised_) return restart::busy;
  if (steady::now() < last_restart_ + (fresh ? first_restart_pause : restart_pause_))
    return restart::too_soon;

  gate_.go_to(gate::phase::draining);
  const time_point patience = std::min(until, steady::now() + drain_grace);
  if (!gate_.drain(held, patience, nullptr)) {
    // C_Finalize would hang behind the stuck call or pull the floor away under it.
    gate_.go_to(gate::phase::open);
    return restart::busy;
  }
  if (gate_.state() == gate::phase::closed) return restart::busy;  // the process exits meanwhile
  gate_.go_to(gate::phase::alone);
  busy_since_ = steady::now();
  gate::call one;  // so that an exiting process waits for it
  gate_.enter(one);
  held.unlock();

  bool back = false;
  CK_RV ended = CKR_OK;
  if (library_gone) {
    // Another token's restart, or whoever finalised it, may have been faster.
    CK_INFO info{};
    back = invoke(functions_->C_GetInfo, &info) != CKR_CRYPTOKI_NOT_INITIALIZED;
  } else {
    ended = invoke(functions_->C_Finalize, nullptr);
  }
  rv = back ? CKR_OK : call_initialise();

  held.lock();
  // A module that would not be finalised is still ours.
  if (!back) foreign_ = rv == CKR_CRYPTOKI_ALREADY_INITIALIZED && ended == CKR_OK;
  if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) rv = CKR_OK;
  last_restart_ = steady::now();
  restart_pause_ = std::min(restart_pause_ * 2, longest_restart_pause);
  ++restarts_;
  for (listener* each : listeners_) each->library_restarted();
  gate_.go_to(gate::phase::open);
  gate_.leave(one);
  log::event(log::level::info, "reinitialised", "module", path_, "rv", rv_name(rv));
  return rv == CKR_OK ? restart::done : restart::failed;
}

CK_RV vendor_module::enter(gate::call& one, time_point until) {
  auto held = gate_.hold();
  // Who comes after somebody's time ran out need not lose its own.
  gate_.wait(held, given_up_ ? steady::now() : until, [&] {
    return settled() || gate_.state() == gate::phase::closed;
  });
  if (gate_.state() == gate::phase::closed) return CKR_CRYPTOKI_NOT_INITIALIZED;
  if (!settled()) {
    given_up_ = starting_;
    return CKR_FUNCTION_FAILED;
  }
  if (!initialised_) return CKR_CRYPTOKI_NOT_INITIALIZED;
  gate_.enter(one);
  return CKR_OK;
}

vendor_module::heritage vendor_module::left_behind() const {
  if (!initialised_ && !left_up_) return heritage::none;
  if (quirks_.dies_on_fork) return heritage::deadly;
  return foreign_ ? heritage::foreign : heritage::ours;
}

void vendor_module::add_listener(listener* one) {
  listeners_.push_back(one);
}

bool vendor_module::another_works(const listener* than) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const listener* one) {
    return one != than && one->working();
  });
}

}  // namespace hsmtls::pkcs11
