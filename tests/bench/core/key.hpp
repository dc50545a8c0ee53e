// A private key as an EVP_PKEY, of every kind that is compared.
#pragma once

#include <openssl/evp.h>

#include <string>

#include "tests/bench/common/application.hpp"
#include "tests/bench/common/worker_process.hpp"
#include "tests/support/tls.hpp"

namespace hsmtls::bench {

// In JSON: that of its token, "label" and "id" (CKA_ID, one byte).
struct key_place {
  token_place where;
  std::string label;
  CK_BYTE id = 1;

  static key_place from(const json& setup);
  // As the setup of a worker that does this job with a key of this kind.
  [[nodiscard]] json setup(const std::string& job, const std::string& kind) const;
  [[nodiscard]] std::string uri() const;
};

// What a worker has in its environment, to reach a token through hsmtls; with the chaos module
// between, running a script.
environment through(const std::string& module);
environment through_chaos(const std::string& module, const std::string& script = {});

struct key_in_use {
  test::open_identity identity{};  // null: not through hsmtls
  test::evp_key key{};
};

// `key_of` makes it of one of these kinds:
//   provider  ours
//   hybrid    the copy that .NET 8 makes of a hybrid key's legacy half
//   method    ours, by libp11
//   engine    the stock engine's
//   software  another key of that type, in memory
// Throws std::runtime_error.
key_in_use key_of(const std::string& kind, const key_place& place);

// `open_with_certificate` opens an identity whose certificate is in the token, too.
test::open_identity open_with_certificate(const key_place& place);

}  // namespace hsmtls::bench
