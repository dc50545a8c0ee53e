#include "core/legacy/libp11.hpp"

#include <dlfcn.h>
#include <link.h>

#include <cstdlib>

#include "core/legacy/refusal.hpp"
#include "core/pkcs11/base/bound_calls.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::legacy {
namespace {

using pkcs11::quoted_path;

constexpr const char* usual_names[] = {"libp11.so.3", "libp11.so.2"};

struct loaded {
  libp11 functions;
  void* handle = nullptr;
};

Dl_info object_of(const void* address) {
  Dl_info found{};
  dladdr(address, &found);
  return found;
}
std::string file_of(const Dl_info& object) {
  return quoted_path(object.dli_fname != nullptr ? object.dli_fname : "?");
}

void* open_libp11() {
  const char* named = secure_getenv("HSMTLS_LIBP11");
  std::string reasons;
  const auto open = [&](const char* name) -> void* {
    // Now: where its calls go is looked at before it is called.
    if (void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return handle;
    const char* why = dlerror();
    reasons += (reasons.empty() ? "" : "; ") + std::string(why != nullptr ? why : name);
    return nullptr;
  };
  if (named != nullptr && *named != '\0') {
    if (void* const handle = open(named)) return handle;
  } else {
    for (const char* name : usual_names) {
      if (void* const handle = open(name)) return handle;
    }
  }
  throw refusal(HSMTLS_P11_UNSUPPORTED,
                "a method key needs libp11, which cannot be loaded (" + pkcs11::escaped(reasons) +
                    "); install it (Debian and Ubuntu: the package libp11-3)");
}

loaded load_libp11() {
  loaded out;
  out.handle = open_libp11();
  const auto find = [&](auto& into, const char* name) {
    void* const found = dlsym(out.handle, name);
    if (found == nullptr) {
      dlclose(out.handle);
      throw refusal(HSMTLS_P11_UNSUPPORTED,
                    "what was loaded as libp11 has no " + std::string(name) +
                        "; install libp11 0.4.12 or later (Debian and Ubuntu: the package "
                        "libp11-3)");
    }
    into = reinterpret_cast<std::decay_t<decltype(into)>>(found);
  };
  libp11& functions = out.functions;
  find(functions.new_context, "PKCS11_CTX_new");
  find(functions.load, "PKCS11_CTX_load");
  find(functions.free_context, "PKCS11_CTX_free");
  find(functions.enumerate_slots, "PKCS11_enumerate_slots");
  find(functions.enumerate_keys, "PKCS11_enumerate_keys");
  find(functions.private_key, "PKCS11_get_private_key");
  functions.file = object_of(reinterpret_cast<const void*>(functions.new_context)).dli_fname;
  return out;
}

// The libcrypto that libp11 calls. Not by dlsym: which of two copies a library is bound to depends on
// scopes that only the loader knows.
Dl_info libcrypto_of(const loaded& libp11) {
  const auto look = [&] {
    link_map* map = nullptr;
    const void* target = nullptr;
    if (dlinfo(libp11.handle, RTLD_DI_LINKMAP, &map) == 0) {
      pkcs11::any_bound_call(*map, [&](const pkcs11::bound_call& one) {
        if (one.name != "CRYPTO_malloc") return false;
        target = one.target;
        return true;
      });
    }
    return object_of(target);
  };
  const Dl_info itself = object_of(reinterpret_cast<const void*>(libp11.functions.new_context));
  Dl_info bound = look();
  if (bound.dli_fbase == itself.dli_fbase) {
    // Somebody had loaded it with RTLD_LAZY: bound by the first call.
    if (auto* const context = libp11.functions.new_context())
      libp11.functions.free_context(context);
    bound = look();
  }
  return bound;
}

}  // namespace

const libp11& libp11::bound_to(const void* address) {
  static loaded* known = nullptr;  // never destroyed: keys live until the process ends
  loaded fresh;
  if (known == nullptr) fresh = load_libp11();
  const loaded& looked_at = known != nullptr ? *known : fresh;
  const Dl_info theirs = libcrypto_of(looked_at);
  const Dl_info ours = object_of(address);
  if (theirs.dli_fbase == nullptr || theirs.dli_fbase != ours.dli_fbase) {
    const refusal why(HSMTLS_P11_UNSUPPORTED,
                      "a method key for the libcrypto in " + file_of(ours) +
                          " cannot be had: " + quoted_path(looked_at.functions.file) +
                          " works with the one in " + file_of(theirs) +
                          "; use a provider key, or a program with the system's OpenSSL");
    if (known == nullptr) dlclose(fresh.handle);
    throw why;
  }
  if (known == nullptr) known = new loaded(std::move(fresh));
  return known->functions;
}

}  // namespace hsmtls::legacy
