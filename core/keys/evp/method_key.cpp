#include "core/keys/evp/method_key.hpp"

#include <dlfcn.h>

#include <filesystem>

#include "core/keys/token/face.hpp"
#include "core/pkcs11/base/quoted_name.hpp"

namespace hsmtls::keys {
namespace {

constexpr const char* file_name = "libhsmtls-legacy.so";

// Beside this library, where it was installed with it; else wherever the loader looks.
void* load() {
  Dl_info own{};
  if (dladdr(reinterpret_cast<const void*>(&load), &own) != 0) {
    const auto beside = std::filesystem::path(own.dli_fname).parent_path() / file_name;
    if (std::filesystem::exists(beside)) return dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  return dlopen(file_name, RTLD_NOW | RTLD_LOCAL);
}

[[noreturn]] void refuse(const std::string& why) {
  throw failure(HSMTLS_LEGACY_UNUSABLE, why);
}

const hsmtls_legacy_functions& functions() {
  static const hsmtls_legacy_functions* const table = [] {
    void* const library = load();
    if (library == nullptr) {
      const char* const why = dlerror();
      refuse(std::string("a method key needs ") + file_name +
             ", which is part of hsmtls and cannot be loaded: " + (why != nullptr ? why : ""));
    }
    using get = const hsmtls_legacy_functions*();
    auto* const find = reinterpret_cast<get*>(dlsym(library, "hsmtls_legacy_table"));
    if (find == nullptr) refuse(std::string(file_name) + " is of another version of hsmtls");
    return find();
  }();
  if (table->abi != HSMTLS_LEGACY_ABI || table->size < sizeof(hsmtls_legacy_functions)) {
    refuse(std::string(file_name) + " is of another version of hsmtls");
  }
  return *table;
}

}  // namespace

void method_key::released::operator()(hsmtls_legacy_key* key) const {
  functions().key_release(key);
}

method_key::method_key(const token_key& key) {
  const hsmtls_legacy_functions& legacy = functions();
  const host::error_mark mark;
  hsmtls_p11_error error;
  void* made = nullptr;
  hsmtls_legacy_key* kept = nullptr;
  const int32_t code = key.with_token([&](hsmtls_p11_key* open) {
    return legacy.method_key(open, &face(), host::crypto().EVP_sha256(), &made, &kept, &error);
  });
  if (code == HSMTLS_P11_UNSUPPORTED) refuse(error.message);
  if (code != HSMTLS_P11_OK) throw failure_of(error);
  kept_.reset(kept);
  key_.reset(static_cast<EVP_PKEY*>(made));
}

host::pkey method_key::share() const {
  host::crypto().EVP_PKEY_up_ref(key_.get());
  return host::pkey(key_.get());
}

}  // namespace hsmtls::keys
