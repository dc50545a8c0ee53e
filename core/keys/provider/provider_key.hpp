// What OpenSSL calls a key of ours: a public half, and perhaps a private one in a token.
#pragma once

#include <memory>

#include "core/keys/provider/provider_context.hpp"

namespace hsmtls::keys {

struct provider_key {
  const provider_context* provider;
  key_type type;
  std::shared_ptr<token_key> token;  // null: a public key that somebody handed to us
  host::pkey imported;               // that public key

  [[nodiscard]] EVP_PKEY* public_half() const {
    return token ? token->public_half() : imported.get();
  }
  [[nodiscard]] provider_key copy() const;
  // The public half alone: it signs nothing.
  [[nodiscard]] provider_key public_copy() const;
};

// OpenSSL's name of a type: "RSA", "EC", "ED25519".
const char* name_of(key_type type);

// `hand_over` gives a token's key, or its public half alone, by reference to whoever asked a decoder or
// a store of ours for one, and returns what the callback answered.
enum class wanted_half { private_half, public_half };
int hand_over(const provider_context& provider,
              std::shared_ptr<token_key> token,
              wanted_half half,
              OSSL_CALLBACK* object,
              void* argument);

// While it lives, this thread's export of a key answers a request for everything with the public
// half: how a hybrid key gets its legacy half (evp/hybrid_key.cpp), and how libcrypto's way to make one
// is known (downgrade.hpp). Nowhere else.
class priming {
 public:
  priming() {
    active = true;
    asked_by = nullptr;
  }
  ~priming() { active = false; }
  priming(const priming&) = delete;
  priming& operator=(const priming&) = delete;
  static thread_local bool active;
  static thread_local OSSL_CALLBACK* asked_by;  // to whom the latest export went
};

// The parameter of fromdata that makes a key of ours of an open one: the number that `lend` gave.
inline constexpr const char* lent_key_parameter = "hsmtls-lent-key";

// `lend` keeps a key for the import that follows; the number is good once, until the lease goes.
class lease {
 public:
  explicit lease(std::shared_ptr<token_key> key);
  ~lease();
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;
  [[nodiscard]] uint64_t number() const { return number_; }
  static std::shared_ptr<token_key> take(uint64_t number);

 private:
  uint64_t number_;
};

}  // namespace hsmtls::keys
