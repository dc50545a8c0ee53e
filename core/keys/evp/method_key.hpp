// A legacy key by libp11, through libhsmtls-legacy.so, which is loaded when the first one is asked for.
#pragma once

#include <memory>

#include "core/keys/host/handles.hpp"
#include "core/keys/token/token_key.hpp"
#include "core/legacy/hsmtls_legacy.h"

namespace hsmtls::keys {

// Signs as long as this object lives.
class method_key {
 public:
  // Throws failure: LEGACY_UNUSABLE where libhsmtls-legacy.so, or libp11, is missing or belongs to
  // another OpenSSL.
  explicit method_key(const token_key& key);
  // One more reference for the caller.
  [[nodiscard]] host::pkey share() const;

 private:
  struct released {
    void operator()(hsmtls_legacy_key* key) const;
  };
  std::unique_ptr<hsmtls_legacy_key, released> kept_;
  host::pkey key_;
};

}  // namespace hsmtls::keys
