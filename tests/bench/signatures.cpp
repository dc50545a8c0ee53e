#include <fmt/format.h>

#include <map>
#include <memory>

#include "tests/bench/bench.hpp"
#include "tests/bench/p11_kit.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/worker_process.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::bench {
namespace {

constexpr int most_threads = 8;
constexpr int thread_counts[] = {1, 2, 4, 8};
constexpr double promised_us = 10;

struct sample {
  double per_second;
  double us;      // what a thread waits for a signature
  double cpu_us;  // processor time of a signature, of all threads
};

struct contestant {
  std::string name;
  std::unique_ptr<worker_process> worker;
  std::string absent;  // why it does not run
  std::map<int, std::vector<sample>> samples;

  sample sign(int threads, int ms) {
    const auto said = worker->ask({{"do", "sign"}, {"threads", threads}, {"ms", ms}});
    const double signatures = said.at("signatures");
    const double seconds = said.at("seconds");
    const double cpu_seconds = said.at("cpu_seconds");
    return {
        signatures / seconds, seconds * threads / signatures * 1e6, cpu_seconds / signatures * 1e6};
  }

  template <class Value>
  [[nodiscard]] spread of(int threads, Value&& value) const {
    std::vector<double> all;
    for (const sample& one : samples.at(threads)) all.push_back(value(one));
    return spread_of(all);
  }

  // Round by round against `other`: what comes and goes on the machine hits both.
  template <class Value>
  [[nodiscard]] spread against(const contestant& other, int threads, Value&& value) const {
    std::vector<double> all;
    const auto& mine = samples.at(threads);
    const auto& theirs = other.samples.at(threads);
    for (std::size_t i = 0; i < mine.size(); ++i) all.push_back(value(mine[i], theirs[i]));
    return spread_of(all);
  }
};

double ratio(const sample& mine, const sample& theirs) {
  return mine.per_second / theirs.per_second;
}
double added_us(const sample& mine, const sample& theirs) {
  return mine.us - theirs.us;
}
double added_cpu_us(const sample& mine, const sample& theirs) {
  return mine.cpu_us - theirs.cpu_us;
}

json as_json(const spread& of) {
  return {{"median", of.median}, {"min", of.least}, {"max", of.most}};
}

// Who is the `place`th in a round. Nobody is always first, and nobody always follows the same one.
std::size_t turn_of(int round, std::size_t place, std::size_t all) {
  const std::size_t turn = static_cast<std::size_t>(round) + 1;
  return ((turn % 2 == 0 ? place : all - 1 - place) + turn / 2) % all;
}

}  // namespace

json measure_signatures(const options& with, std::vector<bar>& bars) {
  print_title("P-256 signatures (C_SignInit, C_Sign) over SoftHSM, each thread in its own session");
  const test::softhsm_token token;
  token.generate_ec_p256("device-key", "01");
  const worker_options app{.module = with.vendor,
                           .token = token.label(),
                           .pin = token.user_pin(),
                           .chaos = {},
                           .sessions = most_threads};
  worker_options through_ours = app;
  through_ours.module = with.front;

  // p11-kit's first: it changes whose files they are. One after the other, as SoftHSM lets one
  // process at a time log in.
  std::vector<contestant> all(3);
  contestant &bare = all[0], &ours = all[1], &p11_kit = all[2];
  bare.name = "SoftHSM, bare";
  ours.name = "through hsmtls";
  p11_kit.name = "through p11-kit-proxy";
  try {
    p11_kit.worker = start_over_p11_kit(app, token, with.vendor);
  } catch (const std::runtime_error& why) {
    p11_kit.absent = why.what();
  }
  bare.worker = std::make_unique<worker_process>(app, environment{});
  ours.worker =
      std::make_unique<worker_process>(through_ours, environment{{"HSMTLS_MODULE", with.vendor}});

  for (int round = -1; round < with.rounds; ++round) {
    for (const int threads : thread_counts) {
      for (std::size_t i = 0; i < all.size(); ++i) {
        contestant& one = all[turn_of(round, i, all.size())];
        if (!one.worker) continue;
        const sample got = one.sign(threads, with.slice_ms);
        // The first round is for the caches.
        if (round >= 0) one.samples[threads].push_back(got);
      }
    }
  }
  for (contestant& one : all) {
    if (one.worker) one.worker->finish();
  }

  table printed({"threads",
                 "",
                 "signatures/s (min .. max)",
                 "us each",
                 "of bare (min .. max)",
                 "added us",
                 "added us of CPU"},
                2);
  json rows = json::array();
  for (const int threads : thread_counts) {
    for (const contestant& one : all) {
      const std::string label = &one == &bare ? std::to_string(threads) : "";
      if (!one.worker) {
        printed.row({label, one.name, "could not run"});
        continue;
      }
      const spread rate = one.of(threads, [](const sample& s) { return s.per_second; });
      const spread us = one.of(threads, [](const sample& s) { return s.us; });
      const spread cpu = one.of(threads, [](const sample& s) { return s.cpu_us; });
      json row = {{"threads", threads},
                  {"module", one.name},
                  {"signatures_per_second", as_json(rate)},
                  {"microseconds", as_json(us)},
                  {"cpu_microseconds", as_json(cpu)}};
      if (&one == &bare) {
        printed.row({label, one.name, text_of(rate), number(us.median)});
      } else {
        const spread part = one.against(bare, threads, ratio);
        const spread added = one.against(bare, threads, added_us);
        const spread added_cpu = one.against(bare, threads, added_cpu_us);
        row["of_bare"] = as_json(part);
        row["added_microseconds"] = as_json(added);
        row["added_cpu_microseconds"] = as_json(added_cpu);
        printed.row({label,
                     one.name,
                     text_of(rate),
                     number(us.median),
                     fmt::format("{:.3f} ({:.3f} .. {:.3f})", part.median, part.least, part.most),
                     number(added.median),
                     number(added_cpu.median)});
      }
      rows.push_back(row);
    }
    printed.gap();
  }
  printed.print();
  print_note(
      fmt::format("Medians of {} rounds; in each, every module signs for {} ms with each number of "
                  "threads, in turn.",
                  with.rounds,
                  with.slice_ms));
  print_note(
      "\"us each\" is what one thread waits; \"of bare\" and \"added\" are compared within each "
      "round.");
  if (!p11_kit.worker) print_note("p11-kit-proxy could not run: " + p11_kit.absent);

  const spread added = ours.against(bare, 1, added_us);
  const spread added_cpu = ours.against(bare, 1, added_cpu_us);
  bars.push_back(
      {"cost of a P-256 signature over bare C_Sign, one thread",
       fmt::format("<= {} us", number(promised_us)),
       fmt::format("{} us ({} us of CPU)", number(added.median), number(added_cpu.median)),
       added.median <= promised_us});
  return {{"rounds", with.rounds},
          {"slice_ms", with.slice_ms},
          {"p11_kit_could_not_run", p11_kit.absent},
          {"rows", rows}};
}

}  // namespace hsmtls::bench
