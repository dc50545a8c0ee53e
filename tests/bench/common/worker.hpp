// The process of one contestant: PKCS#11's state and OpenSSL's are per process, and one would spoil
// the other's. It does what it reads on stdin, a line of JSON each, and answers each with a line. Its
// first line is {"ready": true}, or {"error": "…"} if it cannot work.
#pragma once

#include <functional>
#include <memory>

#include "tests/bench/common/bars.hpp"

namespace hsmtls::bench {

// What a worker does. All functions may throw: its last line is then {"error": "…"}.
class job {
 public:
  virtual ~job() = default;
  virtual json answer(const json& request) = 0;
  // `leave` cleans up where that can fail.
  virtual void leave() {}

 protected:
  job() = default;
  job(const job&) = delete;
  job& operator=(const job&) = delete;
};

// `serve` answers until stdin ends, and returns the exit status.
int serve(const std::function<std::unique_ptr<job>()>& make);

}  // namespace hsmtls::bench
