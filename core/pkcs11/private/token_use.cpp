#include "core/pkcs11/private/token_use.hpp"

#include <condition_variable>
#include <map>
#include <mutex>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/runtime/per_process.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct use {
  int users = 0;
  bool closed = false;  // the last user leaves, or somebody has it alone
  signature_counts signatures;
};

struct all_uses {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<const token*, use> by_token;
};

all_uses& uses() {
  return per_process<all_uses>([](runtime&) { return std::make_unique<all_uses>(); });
}

}  // namespace

vendor_module& add_module(const std::string& path) {
  std::string why;
  vendor_module* const added = runtime::current().add(path, why);
  if (added == nullptr) {
    throw failure(HSMTLS_P11_MODULE,
                  "the PKCS#11 module " + why +
                      "; name the file of your token's vendor, for example "
                      "/usr/lib/softhsm/libsofthsm2.so");
  }
  return *added;
}

runtime_use::runtime_use(const std::string& only)
    : process_(runtime::current()), only_(only.empty() ? nullptr : &add_module(only)) {
  std::string why;
  const CK_RV rv = only_ != nullptr ? process_.attach_to(*only_, &why)
                                    : process_.attach(nullptr, face::private_abi, &why);
  if (rv == CKR_OK) return;
  if (why.empty()) {
    why =
        "another thread brings the PKCS#11 modules in, and that takes longer than the deadline; "
        "try again";
  }
  if (only_ != nullptr) {
    why = "the PKCS#11 module " + quoted_path(only) + " cannot be used: " + why;
  } else if (settings().modules.empty() && process_.modules(face::private_abi).empty()) {
    why = "no PKCS#11 module is configured: " + why + ". Or pass that file as the module";
  } else {
    why = "no PKCS#11 module can be used: " + why;
  }
  throw failure(HSMTLS_P11_MODULE, why + " (" + rv_name(rv) + ")", rv);
}

std::vector<vendor_module*> runtime_use::modules() const {
  if (only_ != nullptr) return {only_};
  return process_.modules(face::private_abi);
}

runtime_use::~runtime_use() {
  // What a forked child inherited is not its own to give back.
  if (&process_ == &runtime::current()) process_.detach();
}

token_use::token_use(token& which, time_point until) : process_(runtime::current()), token_(which) {
  all_uses& all = uses();
  std::unique_lock held(all.mutex);
  use& of = all.by_token[&token_];
  if (!all.changed.wait_until(held, until, [&] { return !of.closed; })) {
    throw failure(
        HSMTLS_P11_MODULE_STUCK,
        "the token is being logged out or administered, and that takes longer than the deadline");
  }
  ++of.users;
}

token_use::~token_use() {
  if (&process_ != &runtime::current()) return;
  all_uses& all = uses();
  {
    std::lock_guard held(all.mutex);
    use& of = all.by_token[&token_];
    if (of.users > 1) {
      --of.users;
      return;
    }
    of.closed = true;
  }
  token_.logout(face::private_abi, steady::now() + settings().deadline);
  // The front's sessions may be idle now, but a login of the front lives by them.
  if (!token_.logged_in(face::front)) token_.release_idle();
  {
    std::lock_guard held(all.mutex);
    use& of = all.by_token[&token_];
    --of.users;
    of.closed = false;
  }
  all.changed.notify_all();
}

sole_token_use::sole_token_use(const present_token& where) : token_(*where.behind) {
  all_uses& all = uses();
  {
    std::lock_guard held(all.mutex);
    use& of = all.by_token[&token_];
    if (of.users > 0 || of.closed) {
      throw failure(HSMTLS_P11_IN_USE,
                    "token " + where.quoted_label() +
                        " is in use by an open key of this process; close it first");
    }
    of.closed = true;
  }
}

sole_token_use::~sole_token_use() {
  all_uses& all = uses();
  {
    std::lock_guard held(all.mutex);
    all.by_token[&token_].closed = false;
  }
  all.changed.notify_all();
}

void count_signature(const token& where, bool good) {
  all_uses& all = uses();
  std::lock_guard held(all.mutex);
  signature_counts& here = all.by_token[&where].signatures;
  ++(good ? here.made : here.failed);
}

signature_counts signatures_in(const token& where) {
  all_uses& all = uses();
  std::lock_guard held(all.mutex);
  return all.by_token[&where].signatures;
}

opened_token::opened_token(const char* uri_text,
                           const hsmtls_p11_login* with,
                           login when,
                           time_point until)
    : wanted(parse_or_throw(uri_text)),
      pins(wanted, with),
      process(only_module_of(with)),
      where(one_token_of(process.modules(), wanted, until)),
      use(*where.behind, until) {
  const bool login_required = (where.info.flags & CKF_LOGIN_REQUIRED) != 0;
  if (login_required && (when == login::required || can_log_in(where, pins)))
    log_in(where, pins, until);
}

}  // namespace hsmtls::pkcs11
