// hsmtls-bench-core: what a key in a token costs whoever uses it through OpenSSL. `scripts/bench core`
// calls it.
#include <openssl/crypto.h>

#include "tests/bench/common/program.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/jobs.hpp"

int main(int argc, char** argv) {
  using namespace hsmtls::bench;
  common_options with;
  const auto part_of = [&](const char* name, auto measure) {
    return part{name, [&with, measure](bars& reached) { return measure(with, reached); }};
  };
  return run({.name = "hsmtls-bench-core",
              .description =
                  "Measures libhsmtls.so: PKCS#11 calls of a handshake and of opening a key, time "
                  "and instructions of a\nsignature, handshakes per second, memory; beside bare "
                  "PKCS#11, libp11's engine and software keys.",
              .with = &with,
              .parts = {part_of("calls", measure_calls),
                        part_of("opening", measure_opening),
                        part_of("signatures", measure_signatures),
                        part_of("added_work", measure_added_work),
                        part_of("handshakes", measure_handshakes),
                        part_of("slow_token", measure_slow_token),
                        part_of("memory", measure_memory)},
              .add_options = nullptr,
              .uses = OpenSSL_version(OPENSSL_VERSION),
              .make_job = make_job},
             argc,
             argv);
}
