#include <fmt/format.h>

#include <algorithm>

#include "tests/bench/common/report.hpp"
#include "tests/bench/common/worker_process.hpp"
#include "tests/bench/pkcs11/bench.hpp"
#include "tests/bench/pkcs11/worker.hpp"
#include "tests/support/chaos.hpp"

namespace hsmtls::bench {
namespace {

constexpr int signature_ms = 50;
constexpr double promised_part = 0.95;

struct load {
  int signers;  // threads, or pending asynchronous signatures
  int sessions;
  bool asynchronous = false;
};
constexpr load loads[] = {{1, 16},
                          {8, 1},
                          {8, 2},
                          {8, 4},
                          {8, 16},
                          {16, 16},
                          {1, 16, true},
                          {8, 1, true},
                          {8, 4, true},
                          {16, 16, true},
                          {64, 16, true}};

}  // namespace

json measure_slow_token(const options& with, bars& reached) {
  print_title(fmt::format(
      "A token that takes {} ms for a signature and has few sessions (stub vendor)", signature_ms));
  table printed({"signed by", "sessions", "signatures/s", "at best", "reached"});
  json rows = json::array();
  double worst = 1e9;
  for (const load& one : loads) {
    const std::string script =
        fmt::format("delay C_Sign {}ms; limit-sessions {}", signature_ms, one.sessions);
    const worker_options app{.where = {with.front, "stub-a", "1234"},
                             .chaos = HSMTLS_TEST_CHAOS,
                             .sessions = one.asynchronous ? 1 : one.signers};
    worker_process worker(app.setup(),
                          {{"HSMTLS_MODULE", HSMTLS_TEST_CHAOS},
                           {"HSMTLS_CHAOS_MODULE", HSMTLS_TEST_STUB_VENDOR},
                           {"HSMTLS_CHAOS", script}});
    const auto said = worker.ask(
        one.asynchronous
            ? json{{"do", "sign_pending"}, {"pending", one.signers}, {"ms", 40 * signature_ms}}
            : json{{"do", "sign"}, {"threads", one.signers}, {"ms", 20 * signature_ms}});
    worker.finish();
    const double rate = said.at("done").get<double>() / said.at("seconds").get<double>();
    const double best = std::min(one.signers, one.sessions) * 1000.0 / signature_ms;
    worst = std::min(worst, rate / best);
    printed.row({fmt::format("{} {}", one.signers, one.asynchronous ? "pending" : "threads"),
                 std::to_string(one.sessions),
                 number(rate),
                 number(best),
                 fmt::format("{:.3f}", rate / best)});
    rows.push_back({{"signers", one.signers},
                    {"asynchronous", one.asynchronous},
                    {"sessions", one.sessions},
                    {"signatures_per_second", rate},
                    {"at_best", best},
                    {"reached", rate / best}});
  }
  printed.print();
  reached.push_back(
      {fmt::format(
           "throughput of a token that takes {} ms, of min(threads or pending, sessions) / {} ms",
           signature_ms,
           signature_ms),
       fmt::format(">= {:.2f}", promised_part),
       fmt::format("{:.3f}", worst),
       worst >= promised_part});
  return {{"signature_ms", signature_ms}, {"rows", rows}};
}

}  // namespace hsmtls::bench
