#include <fmt/format.h>

#include <stdexcept>

#include "tests/bench/common/callgrind.hpp"
#include "tests/bench/common/report.hpp"
#include "tests/bench/pkcs11/bench.hpp"
#include "tests/bench/pkcs11/worker.hpp"
#include "tests/support/chaos.hpp"

namespace hsmtls::bench {
namespace {

constexpr int counted = 10'000;
constexpr int promised_calls = 2;

json on(const std::string& module, std::string chaos = {}) {
  return worker_options{.where = {module, "stub-a", "1234"}, .chaos = std::move(chaos)}.setup();
}

double calls_per_signature(const std::string& module) {
  worker_process worker(
      on(module, HSMTLS_TEST_CHAOS),
      {{"HSMTLS_MODULE", HSMTLS_TEST_CHAOS}, {"HSMTLS_CHAOS_MODULE", HSMTLS_TEST_STUB_VENDOR}});
  // The first one looks the key's public half up.
  worker.ask({{"do", "sign_once"}});
  const auto said = worker.ask({{"do", "sign"}, {"times", counted}});
  worker.finish();
  return said.at("calls").get<double>() / counted;
}

}  // namespace

json measure_added_work(const options& with, bars& reached) {
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
  reached.push_back({"PKCS#11 calls for one signature, warm",
                     std::to_string(promised_calls),
                     number(our_calls),
                     our_calls <= promised_calls});

  std::string absent;
  try {
    const json sign = {{"do", "sign"}};
    const double bare = instructions_of(on(HSMTLS_TEST_STUB_VENDOR), {}, sign);
    const double ours =
        instructions_of(on(with.front), {{"HSMTLS_MODULE", HSMTLS_TEST_STUB_VENDOR}}, sign);
    printed.row({"instructions (callgrind)", number(bare), number(ours), number(ours - bare)});
    out["instructions"] = {{"bare", bare}, {"hsmtls", ours}, {"added", ours - bare}};
  } catch (const std::runtime_error& why) {
    absent = why.what();
    printed.row({"instructions (callgrind)", "could not run"});
    out["instructions"] = {{"could_not_run", absent}};
  }
  printed.print();
  print_note(absent.empty() ? instructions_note : "callgrind could not run: " + absent);
  return out;
}

}  // namespace hsmtls::bench
