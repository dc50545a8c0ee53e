#include "core/legacy/method_key.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "core/legacy/libp11.hpp"
#include "core/legacy/refusal.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::legacy {
namespace {

using pkcs11::quoted_name;
using pkcs11::quoted_path;

std::string file_of(const hsmtls_p11_functions* face) {
  Dl_info object{};
  dladdr(face, &object);
  return object.dli_fname != nullptr ? object.dli_fname : "?";
}

void check_version(const hsmtls_p11_functions* face) {
  constexpr size_t needed = offsetof(hsmtls_p11_functions, view_close) + sizeof face->view_close;
  if (face->abi == HSMTLS_P11_ABI && face->size >= needed) return;
  throw refusal(HSMTLS_P11_UNSUPPORTED,
                quoted_path(file_of(face)) +
                    " is older than libhsmtls-legacy.so and has no views; install one version of "
                    "hsmtls");
}

// Read before any call of libp11, and without one.
std::string label_of(const hsmtls_p11_functions* face, hsmtls_p11_key* key) {
  hsmtls_p11_key_info info{};
  info.struct_size = sizeof info;
  face->key_info(key, &info);
  const std::string label = quoted_name(info.label);
  if (info.type != HSMTLS_P11_RSA && info.type != HSMTLS_P11_EC) {
    throw refusal(HSMTLS_P11_UNSUPPORTED,
                  "libp11 makes method keys of RSA and EC keys, and the key " + label +
                      " is neither; use a provider key");
  }
  return label;
}

// libp11's context: one for the process, never freed, as the keys that came from it use it. One that
// is unloaded would take the others' sessions along.
class context {
 public:
  // This process's: another thread of a forked child's parent may have held the lock at the fork.
  static context& current() {
    static std::atomic<context*> known{nullptr};
    context* existing = known.load();
    if (existing != nullptr && existing->process_ == getpid()) return *existing;
    auto fresh = std::make_unique<context>();
    if (known.compare_exchange_strong(existing, fresh.get())) return *fresh.release();
    return *existing;
  }

  std::mutex mutex;

  // Slots are not released: libp11 0.4.12 frees a slot under the keys that are of it.
  void keep(p11_slot* slots) { kept_.push_back(slots); }

  // With the lock held, inside of a view: the module may have no slot but that.
  void* get(const libp11& with, const std::string& module) {
    if (made_ != nullptr) return made_;
    void* const fresh = with.new_context();
    if (fresh == nullptr) throw refusal(HSMTLS_P11_NO_MEMORY, "out of memory");
    if (with.load(fresh, module.c_str()) != 0) {
      with.free_context(fresh);
      throw refusal(HSMTLS_P11_MODULE,
                    "libp11 cannot load " + quoted_path(module) +
                        "; see HSMTLS_LOG for what its C_Initialize said");
    }
    return made_ = fresh;
  }

 private:
  const pid_t process_ = getpid();
  void* made_ = nullptr;
  std::vector<p11_slot*> kept_;
};

// The calling thread sees the view's slot alone.
class inside {
 public:
  inside(const hsmtls_p11_functions* face, hsmtls_p11_view* view) : face_(face) {
    face_->view_enter(view);
  }
  ~inside() { face_->view_leave(); }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;

 private:
  const hsmtls_p11_functions* face_;
};

// The one private key of the one slot that libp11 sees.
void* key_from(const libp11& with,
               context& here,
               const std::string& module,
               const std::string& label) {
  const auto cannot = [&](const std::string& what) {
    return refusal(HSMTLS_P11_TOKEN_ERROR,
                   "libp11 cannot " + what + " for the key " + label +
                       "; see HSMTLS_LOG for what the token answered, and whether " +
                       quoted_path(with.file) + " is a libp11 that works");
  };
  p11_slot* slots = nullptr;
  unsigned int count = 0;
  if (with.enumerate_slots(here.get(with, module), &slots, &count) != 0)
    throw cannot("list the slot");
  here.keep(slots);
  if (count != 1) throw cannot("list the slot");
  if (slots[0].token == nullptr) {
    throw refusal(HSMTLS_P11_TOKEN_LOST,
                  "the token of the key " + label +
                      " is not there; check that it is plugged in and its service runs, then try "
                      "again");
  }
  void* keys = nullptr;
  unsigned int found = 0;
  // A search is not repeated after a loss in the middle of it: that is for who searches to do.
  constexpr int most_tries = 3;
  int tries = 1;
  while (with.enumerate_keys(slots[0].token, &keys, &found) != 0) {
    if (tries++ == most_tries) throw cannot("find the key");
  }
  if (found != 1) throw cannot("find the key");
  void* const made = with.private_key(keys);
  if (made == nullptr) throw cannot("make an EVP_PKEY");
  return made;
}

}  // namespace

method_key::method_key(hsmtls_p11_key* key,
                       const hsmtls_p11_functions* face,
                       const void* in_libcrypto)
    : face_(face) {
  check_version(face);
  const std::string label = label_of(face, key);
  context& here = context::current();
  std::lock_guard held(here.mutex);
  const libp11& with = libp11::bound_to(in_libcrypto);
  hsmtls_p11_error error{};
  if (const int32_t code = face->view_open(key, &view_, &error); code != HSMTLS_P11_OK)
    throw refusal(static_cast<hsmtls_p11_code>(code), error.message);
  try {
    const inside only(face, view_);
    evp_pkey_ = key_from(with, here, file_of(face), label);
  } catch (...) {
    face->view_close(view_);
    throw;
  }
}

method_key::~method_key() {
  face_->view_close(view_);
}

}  // namespace hsmtls::legacy
