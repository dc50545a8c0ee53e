// What every measuring program does: options, the parts that are wanted, the bars, JSON. The same
// program is its own workers (worker.hpp).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/common/bars.hpp"
#include "tests/bench/common/worker.hpp"

namespace CLI {
class App;
}

namespace hsmtls::bench {

struct common_options {
  std::string vendor;  // SoftHSM's module
  int rounds = 21;
  int slice_ms = 80;  // how long a contestant works without a break
};

struct part {
  std::string name;
  // Prints tables, adds to the bars, and returns the same as JSON.
  std::function<json(bars&)> measure;
};

struct program {
  std::string name;
  std::string description;
  common_options* with;
  std::vector<part> parts;
  std::function<void(CLI::App&)> add_options;  // null: none of its own
  std::string uses;  // what else it is measured with: "OpenSSL 3.0.22 1 Jan 2026"; may be empty
  std::function<std::unique_ptr<job>(const json& setup)> make_job;
};

// `run` is main(), and returns the exit status.
int run(const program& what, int argc, char** argv);

}  // namespace hsmtls::bench
