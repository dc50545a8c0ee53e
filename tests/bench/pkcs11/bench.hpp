// What is measured of the front module. Each function prints a table, and returns the same as JSON
// and the bars it was held against.
#pragma once

#include <string>

#include "tests/bench/common/bars.hpp"
#include "tests/bench/common/program.hpp"

namespace hsmtls::bench {

struct options : common_options {
  std::string front;  // our module
  int recoveries = 25;
};

// Signatures per second and microseconds per signature, 1 to 8 threads, over SoftHSM: bare, through
// ours, through p11-kit-proxy.
json measure_signatures(const options& with, bars& reached);

// Signatures per second with a token that takes 50 ms for each and has few sessions.
json measure_slow_token(const options& with, bars& reached);

// PKCS#11 calls and processor instructions that a signature costs on top.
json measure_added_work(const options& with, bars& reached);

// How long the first signature takes after the token was lost and is back.
json measure_recovery(const options& with, bars& reached);

}  // namespace hsmtls::bench
