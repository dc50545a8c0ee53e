#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/bench/bench.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/worker_process.hpp"
#include "tests/support/chaos.hpp"

namespace hsmtls::bench {
namespace {

constexpr int short_run = 1000;
constexpr int long_run = 11'000;
constexpr int promised_calls = 2;

// Two ways to the stub vendor, directly and through ours.
struct way {
  std::string module;
  environment extra;
};

worker_options on(const way& one, std::string chaos = {}) {
  return {.module = one.module,
          .token = "stub-a",
          .pin = "1234",
          .chaos = std::move(chaos),
          .sessions = 1};
}

double calls_per_signature(const std::string& module) {
  worker_process worker(
      on({module, {}}, HSMTLS_TEST_CHAOS),
      {{"HSMTLS_MODULE", HSMTLS_TEST_CHAOS}, {"HSMTLS_CHAOS_MODULE", HSMTLS_TEST_STUB_VENDOR}});
  // The first one looks the key's public half up.
  worker.ask({{"do", "sign_once"}});
  const auto said = worker.ask({{"do", "sign"}, {"signatures", long_run}});
  worker.finish();
  return said.at("calls").get<double>() / long_run;
}

std::uint64_t instructions_of_run(const way& one, int signatures) {
  const std::string profile = fmt::format("{}/bench-callgrind-{}", HSMTLS_TEST_SCRATCH, getpid());
  worker_process worker(
      on(one), one.extra, {"valgrind", "--tool=callgrind", "--callgrind-out-file=" + profile});
  worker.ask({{"do", "sign"}, {"signatures", signatures}});
  worker.finish();
  std::ifstream file(profile);
  std::uint64_t total = 0;
  for (std::string line; std::getline(file, line);) {
    for (const std::string name : {"summary: ", "totals: "}) {
      if (line.starts_with(name)) total = std::stoull(line.substr(name.size()));
    }
  }
  file.close();
  std::filesystem::remove(profile);
  if (total == 0) throw std::runtime_error("callgrind's output has no total");
  return total;
}

// The difference of two runs: whatever happens once cancels out.
double instructions_per_signature(const way& one) {
  const std::uint64_t few = instructions_of_run(one, short_run);
  const std::uint64_t many = instructions_of_run(one, long_run);
  return static_cast<double>(many - few) / (long_run - short_run);
}

}  // namespace

json measure_added_work(const options& with, std::vector<bar>& bars) {
  print_title("What a signature costs on top, over the stub vendor (no cryptography)");
  table printed({"", "bare", "through hsmtls", "added"});
  const double bare_calls = calls_per_signature(HSMTLS_TEST_CHAOS);
  const double our_calls = calls_per_signature(with.front);
  printed.row({"PKCS#11 calls that reach the vendor",
               number(bare_calls),
               number(our_calls),
               number(our_calls - bare_calls)});
  json out = {
      {"calls", {{"bare", bare_calls}, {"hsmtls", our_calls}, {"added", our_calls - bare_calls}}}};
  bars.push_back({"PKCS#11 calls for one signature, warm",
                  std::to_string(promised_calls),
                  number(our_calls),
                  our_calls <= promised_calls});

  std::string absent;
  try {
    const double bare = instructions_per_signature({HSMTLS_TEST_STUB_VENDOR, {}});
    const double ours =
        instructions_per_signature({with.front, {{"HSMTLS_MODULE", HSMTLS_TEST_STUB_VENDOR}}});
    printed.row({"instructions (callgrind)", number(bare), number(ours), number(ours - bare)});
    out["instructions"] = {{"bare", bare}, {"hsmtls", ours}, {"added", ours - bare}};
  } catch (const std::runtime_error& why) {
    absent = why.what();
    printed.row({"instructions (callgrind)", "could not run"});
    out["instructions"] = {{"could_not_run", absent}};
  }
  printed.print();
  if (absent.empty()) {
    print_note(fmt::format(
        "Instructions: a run of {} signatures less one of {}, divided.", long_run, short_run));
  } else {
    print_note("callgrind could not run: " + absent);
  }
  return out;
}

}  // namespace hsmtls::bench
