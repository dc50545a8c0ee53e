// hsmtls-bench-runtimes: what a key in a token costs the TLS of each runtime, beside a software key of the
// same kind. `scripts/bench runtimes` calls it.
#include <openssl/crypto.h>

#include <stdexcept>

#include "tests/bench/common/program.hpp"
#include "tests/bench/common/report.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::bench {
namespace {

struct runtime {
  const char* name;
  std::vector<std::string> command;  // prints a line of JSON
  std::map<std::string, std::string> environment{};
};

const std::string source = HSMTLS_BENCH_SOURCE;
const std::string build = HSMTLS_BENCH_BUILD;

const std::vector<runtime> runtimes = {
    {"C++", {build + "/bin/hsmtls_bench_handshakes"}},
    {"Python",
     {"/usr/bin/python3", source + "/tests/bench/python/handshakes.py"},
     {{"PYTHONPATH", build + "/python"}}},
    {"Node.js",
     {"node", source + "/tests/bench/node/handshakes.js"},
     {{"NODE_PATH", build + "/node_modules"}}},
    {".NET",
     {"sh",
      "-c",
      R"(exec "$0" "pkcs11:token=edge;object=ec" "$HSMTLS_TEST_FOLDER/ca.pem" "$HSMTLS_TEST_FOLDER/server.pem" "$HSMTLS_TEST_FOLDER/server.key")",
      build + "/bench-dotnet/handshakes/run/handshakes"}}};

// The figures of a runtime. Throws std::runtime_error with what it said.
json figures_of(const runtime& one) {
  std::vector<std::string> command{build + "/bin/hsmtls_with_device"};
  command.insert(command.end(), one.command.begin(), one.command.end());
  const test::ending ended = test::run_program(command, one.environment, std::chrono::minutes(5));
  const json said = json::parse(ended.output, nullptr, false);
  if (!ended.fine() || said.is_discarded()) throw std::runtime_error(ended.output);
  return said;
}

json measure_handshakes(bars& /*reached*/) {
  print_title("Full mutual handshakes over loopback, EC P-256 in SoftHSM, beside a software key");
  table printed(
      {"", "handshakes/s, hsmtls", "software", "of its rate", "ms to connect, hsmtls", "software"});
  json all = json::array();
  std::vector<std::string> absent;
  for (const runtime& one : runtimes) {
    try {
      const json said = figures_of(one);
      const auto of = [&](const char* key, const char* what) {
        return said.at(key).at(what).get<double>();
      };
      printed.row(
          {said.at("runtime").get<std::string>(),
           number(of("hsmtls", "handshakes_per_second")),
           number(of("software", "handshakes_per_second")),
           number(of("hsmtls", "handshakes_per_second") / of("software", "handshakes_per_second")),
           number(of("hsmtls", "connect_ms")),
           number(of("software", "connect_ms"))});
      all.push_back(said);
    } catch (const std::exception& why) {
      printed.row({one.name, "could not run"});
      absent.push_back(std::string(one.name) + " could not run: " + why.what());
    }
  }
  printed.print();
  print_note(
      "Each runtime with a client of its own kind; medians of 7 rounds, in which both keys take "
      "turns. "
      "Rows are not comparable: only within one is everything but the key the same.");
  for (const std::string& one : absent) print_note(one);
  return all;
}

}  // namespace
}  // namespace hsmtls::bench

int main(int argc, char** argv) {
  using namespace hsmtls::bench;
  common_options with;
  return run({.name = "hsmtls-bench-runtimes",
              .description =
                  "Measures what a key in a token costs C++, Python, Node.js and .NET, beside a "
                  "software key.",
              .with = &with,
              .parts = {{"handshakes", measure_handshakes}},
              .add_options = nullptr,
              .uses = OpenSSL_version(OPENSSL_VERSION),
              .make_job = nullptr},
             argc,
             argv);
}
