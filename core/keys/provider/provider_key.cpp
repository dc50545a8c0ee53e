#include "core/keys/provider/provider_key.hpp"

#include <openssl/core_names.h>
#include <openssl/core_object.h>

#include <map>
#include <mutex>

namespace hsmtls::keys {

thread_local bool priming::active = false;

provider_key provider_key::copy() const {
  provider_key made{provider, type, token, nullptr};
  if (imported) {
    host::crypto().EVP_PKEY_up_ref(imported.get());
    made.imported.reset(imported.get());
  }
  return made;
}

const char* name_of(key_type type) {
  switch (type) {
    case key_type::rsa:
      return "RSA";
    case key_type::ec:
      return "EC";
    case key_type::ed25519:
      return "ED25519";
  }
  return "";
}

OSSL_PARAM reference_to(provider_key*& key) {
  return host::crypto().OSSL_PARAM_construct_octet_string(
      OSSL_OBJECT_PARAM_REFERENCE, &key, sizeof key);
}

namespace {
struct lent_keys {
  std::mutex mutex;
  uint64_t last = 0;
  std::map<uint64_t, std::shared_ptr<token_key>> keys;
};
lent_keys& lent() {
  static lent_keys* const only = new lent_keys;
  return *only;
}
}  // namespace

lease::lease(std::shared_ptr<token_key> key) {
  lent_keys& all = lent();
  const std::lock_guard lock(all.mutex);
  number_ = ++all.last;
  all.keys.emplace(number_, std::move(key));
}

lease::~lease() {
  take(number_);
}

std::shared_ptr<token_key> lease::take(uint64_t number) {
  lent_keys& all = lent();
  const std::lock_guard lock(all.mutex);
  const auto found = all.keys.find(number);
  if (found == all.keys.end()) return nullptr;
  std::shared_ptr<token_key> key = std::move(found->second);
  all.keys.erase(found);
  return key;
}

}  // namespace hsmtls::keys
