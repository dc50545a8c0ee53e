#include <fmt/format.h>

#include <algorithm>

#include "tests/bench/common/report.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/tokens.hpp"

namespace hsmtls::bench {
namespace {

constexpr int signature_ms = 50;
constexpr double promised_part = 0.95;

struct load {
  int threads;
  int sessions;
};
constexpr load loads[] = {{1, 1}, {1, 16}, {8, 1}, {8, 2}, {8, 4}, {8, 16}, {16, 16}};

double signatures_per_second(const load& under) {
  const std::string script =
      fmt::format("delay C_Sign {}ms; limit-sessions {}", signature_ms, under.sessions);
  const key_place place = stub_ec();
  json setup = place.setup("sign", "provider");
  setup["scheme"] = "ecdsa";
  worker_process worker(setup, through_chaos(place.where.module, script));
  const auto said = worker.ask({{"threads", under.threads}, {"ms", 20 * signature_ms}});
  worker.finish();
  return said.at("done").get<double>() / said.at("seconds").get<double>();
}

}  // namespace

json measure_slow_token(const common_options&, bars& reached) {
  print_title(fmt::format(
      "EVP_DigestSign with a token that takes {} ms for a signature and has few sessions (stub "
      "vendor)",
      signature_ms));
  table printed({"threads", "sessions", "signatures/s", "at best", "reached"}, 0);
  json rows = json::array();
  double worst = 1e9;
  for (const load& one : loads) {
    const double rate = signatures_per_second(one);
    const double best = std::min(one.threads, one.sessions) * 1000.0 / signature_ms;
    worst = std::min(worst, rate / best);
    printed.row({std::to_string(one.threads),
                 std::to_string(one.sessions),
                 number(rate),
                 number(best),
                 fmt::format("{:.3f}", rate / best)});
    rows.push_back({{"threads", one.threads},
                    {"sessions", one.sessions},
                    {"signatures_per_second", rate},
                    {"at_best", best},
                    {"reached", rate / best}});
  }
  printed.print();
  reached.push_back(
      {fmt::format("throughput by an EVP_PKEY of a token that takes {} ms, of min(threads, "
                   "sessions) / {} ms",
                   signature_ms,
                   signature_ms),
       fmt::format(">= {:.2f}", promised_part),
       fmt::format("{:.3f}", worst),
       worst >= promised_part});
  return {{"signature_ms", signature_ms}, {"rows", rows}};
}

}  // namespace hsmtls::bench
