// The process that signs. PKCS#11 state is per process, so each contestant has one of its own; it
// does what it reads on stdin, a line of JSON each, and answers each with a line:
//
//   {"do": "sign", "threads": N, "ms": N}     {"signatures", "seconds", "cpu_seconds"}: each thread
//   in its own session
//   {"do": "sign", "signatures": N}           the same, in one thread, so many; and {"calls"} under
//   the chaos module
//   {"do": "sign_pending", "pending": N, "ms": N}  {"signatures", "seconds"}: asynchronously, through
//   the private face of our module
//   {"do": "sign_once"}                       {"rv", "began_ns", "ended_ns"}, on the clock that all
//   processes share
//   {"do": "chaos", "script": "…"}            {}
//
// Its first line is {"ready": true}, or {"error": "…"} if it cannot sign.
#pragma once

#include <string>

namespace hsmtls::bench {

struct worker_options {
  std::string module;
  std::string token;
  std::string pin;
  std::string chaos;  // the chaos module's file, where it is on the way to the token
  int sessions = 1;
};

// `run_worker` returns the exit status.
int run_worker(const worker_options& with);

}  // namespace hsmtls::bench
