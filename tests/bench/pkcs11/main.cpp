// hsmtls-bench-pkcs11: what the front module costs, in time, calls and instructions, and how fast it
// recovers. `scripts/bench pkcs11` calls it.
#include <CLI/CLI.hpp>

#include "tests/bench/common/program.hpp"
#include "tests/bench/pkcs11/bench.hpp"
#include "tests/bench/pkcs11/worker.hpp"

int main(int argc, char** argv) {
  using namespace hsmtls::bench;
  options with;
  with.front = HSMTLS_BENCH_FRONT;
  const auto part_of = [&](const char* name, auto measure) {
    return part{name, [&with, measure](bars& reached) { return measure(with, reached); }};
  };
  return run({.name = "hsmtls-bench-pkcs11",
              .description =
                  "Measures libhsmtls-pkcs11.so: signatures per second beside the bare module and "
                  "p11-kit-proxy, calls and\ninstructions added, time to recover.",
              .with = &with,
              .parts = {part_of("signatures", measure_signatures),
                        part_of("slow_token", measure_slow_token),
                        part_of("added_work", measure_added_work),
                        part_of("recovery", measure_recovery)},
              .add_options =
                  [&](CLI::App& app) {
                    app.add_option("--recoveries", with.recoveries, "losses of each kind")
                        ->check(CLI::Range(20, 1000))
                        ->capture_default_str();
                    app.add_option("--front", with.front, "our module")
                        ->envname("HSMTLS_BENCH_FRONT")
                        ->capture_default_str();
                  },
              .uses = {},
              .make_job = make_signer},
             argc,
             argv);
}
