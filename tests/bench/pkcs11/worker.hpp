// The process that signs through PKCS#11 (common/worker.hpp):
//
//   {"do": "sign", "threads": N, "ms": N}     as common/timed.hpp says, each thread in its own session
//   {"do": "sign", "times": N}                the same, in one thread, so often; and {"calls"} under
//   the chaos module
//   {"do": "sign_pending", "pending": N, "ms": N}  {"done", "seconds"}: asynchronously, through the
//   private face of our module
//   {"do": "sign_once"}                       {"rv", "began_ns", "ended_ns"}, on the clock that all
//   processes share
//   {"do": "chaos", "script": "…"}            {}
#pragma once

#include <memory>

#include "tests/bench/common/application.hpp"
#include "tests/bench/common/worker.hpp"

namespace hsmtls::bench {

struct worker_options {
  token_place where;  // the key is the one with CKA_ID 01
  std::string chaos;  // the chaos module's file, where it is on the way to the token
  int sessions = 1;

  // What `make_signer` is told.
  [[nodiscard]] json setup() const;
};

std::unique_ptr<job> make_signer(const json& setup);

}  // namespace hsmtls::bench
