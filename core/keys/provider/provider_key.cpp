#include "core/keys/provider/provider_key.hpp"

#include <openssl/core_names.h>
#include <openssl/core_object.h>

#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "core/keys/host/fork_locks.hpp"

namespace hsmtls::keys {

thread_local bool priming::active = false;
thread_local OSSL_CALLBACK* priming::asked_by = nullptr;

provider_key provider_key::copy() const {
  if (token) return {provider, type, token, nullptr};
  return public_copy();
}

provider_key provider_key::public_copy() const {
  provider_key made{provider, type, nullptr, nullptr};
  if (EVP_PKEY* const half = public_half()) {
    host::crypto().EVP_PKEY_up_ref(half);
    made.imported.reset(half);
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

int hand_over(const provider_context& provider,
              std::shared_ptr<token_key> token,
              wanted_half half,
              OSSL_CALLBACK* object,
              void* argument) {
  const key_type type = token->type();
  const provider_key whole{&provider, type, std::move(token), nullptr};
  auto* key =
      new provider_key(half == wanted_half::public_half ? whole.public_copy() : whole.copy());
  int kind = OSSL_OBJECT_PKEY;
  const std::array parameters{
      host::crypto().OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &kind),
      host::crypto().OSSL_PARAM_construct_utf8_string(
          OSSL_OBJECT_PARAM_DATA_TYPE, const_cast<char*>(name_of(type)), 0),
      // The address of our pointer, which `load` of the key management empties when it takes the key.
      host::crypto().OSSL_PARAM_construct_octet_string(
          OSSL_OBJECT_PARAM_REFERENCE, &key, sizeof key),
      host::crypto().OSSL_PARAM_construct_end()};
  const int result = object(parameters.data(), argument);
  delete key;  // null if it was taken over
  return result;
}

namespace {
// Under host::instant_lock.
struct lent_keys {
  uint64_t last = 0;
  std::map<uint64_t, std::shared_ptr<token_key>> keys;
};
lent_keys& lent() {
  static lent_keys* const only = new lent_keys;
  return *only;
}
}  // namespace

lease::lease(std::shared_ptr<token_key> key) {
  const std::lock_guard lock(host::instant_lock());
  number_ = ++lent().last;
  lent().keys.emplace(number_, std::move(key));
}

lease::~lease() {
  take(number_);
}

std::shared_ptr<token_key> lease::take(uint64_t number) {
  const std::lock_guard lock(host::instant_lock());
  const auto found = lent().keys.find(number);
  if (found == lent().keys.end()) return nullptr;
  std::shared_ptr<token_key> key = std::move(found->second);
  lent().keys.erase(found);
  return key;
}

}  // namespace hsmtls::keys
