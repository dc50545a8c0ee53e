// The legacy half of a hybrid key: an RSA or EC_KEY of the host's whose private operation is the
// token's (RSA_meth_new(3), EC_KEY_METHOD_new(3)).
#pragma once

#include <memory>

#include "core/keys/host/handles.hpp"
#include "core/keys/token/token_key.hpp"

namespace hsmtls::keys {

// `make_legacy_half` turns a public-only object into one that signs with `key`. False: OpenSSL does
// not take it.
bool make_legacy_half(RSA* half, const std::shared_ptr<token_key>& key);
bool make_legacy_half(EC_KEY* half, const std::shared_ptr<token_key>& key);

// While it lives, this thread's signatures by a legacy half do not reach the token: they fail, and
// `was_reached` tells that one came. How a hybrid key checks itself.
class dry_run {
 public:
  dry_run();
  ~dry_run();
  dry_run(const dry_run&) = delete;
  dry_run& operator=(const dry_run&) = delete;
  [[nodiscard]] bool was_reached() const;
};

}  // namespace hsmtls::keys
