// What is measured. Each function prints a table, and returns the same as JSON and the bars it was
// held against.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace hsmtls::bench {

using json = nlohmann::ordered_json;

// A number that the design promises, next to what came out.
struct bar {
  std::string what;
  std::string promised;
  std::string measured;
  bool met = false;
};

struct options {
  std::string vendor;  // SoftHSM's module
  std::string front;   // ours
  int rounds = 21;
  int slice_ms = 80;  // how long a contestant signs without a break
  int recoveries = 25;
};

// Signatures per second and microseconds per signature, 1 to 8 threads, over SoftHSM: bare, through
// ours, through p11-kit-proxy.
json measure_signatures(const options& with, std::vector<bar>& bars);

// Signatures per second with a token that takes 50 ms for each and has few sessions.
json measure_slow_token(const options& with, std::vector<bar>& bars);

// PKCS#11 calls and processor instructions that a signature costs on top.
json measure_added_work(const options& with, std::vector<bar>& bars);

// How long the first signature takes after the token was lost and is back.
json measure_recovery(const options& with, std::vector<bar>& bars);

}  // namespace hsmtls::bench
