#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "tests/bench/common/contest.hpp"
#include "tests/bench/pkcs11/bench.hpp"
#include "tests/bench/pkcs11/p11_kit.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::bench {
namespace {

constexpr int most_threads = 8;
constexpr int thread_counts[] = {1, 2, 4, 8};
constexpr double promised_us = 10;

}  // namespace

json measure_signatures(const options& with, bars& reached) {
  print_title("P-256 signatures (C_SignInit, C_Sign) over SoftHSM, each thread in its own session");
  const test::softhsm_token token;
  token.generate_ec_p256("device-key", "01");
  const auto app = [&](const std::string& module) {
    return worker_options{
        .where = {module, token.label(), token.user_pin()}, .chaos = {}, .sessions = most_threads};
  };
  // p11-kit's first: it changes whose files they are. One after the other, as SoftHSM lets one
  // process at a time log in.
  std::vector<contestant> all;
  all.emplace_back("through p11-kit-proxy",
                   [&] { return start_over_p11_kit(app({}), token, with.vendor); });
  all.emplace_back("bare",
                   [&] { return std::make_unique<worker_process>(app(with.vendor).setup()); });
  all.emplace_back("through hsmtls", [&] {
    return std::make_unique<worker_process>(app(with.front).setup(),
                                            environment{{"HSMTLS_MODULE", with.vendor}});
  });
  std::rotate(all.begin(), all.begin() + 1, all.end());
  const contestant &bare = all[0], &ours = all[1], &p11_kit = all[2];
  for (const contestant* one : {&bare, &ours}) {
    if (!one->takes_part()) throw std::runtime_error(one->name() + ": " + one->absent());
  }
  std::vector<discipline> everything;
  for (const int threads : thread_counts) {
    everything.push_back({fmt::format("{} threads", threads),
                          {{"do", "sign"}, {"threads", threads}, {"ms", with.slice_ms}}});
  }
  compete(all, everything, with.rounds);

  table printed({"threads",
                 "",
                 "signatures/s (min .. max)",
                 "us each",
                 "of bare (min .. max)",
                 "added us",
                 "added us of CPU"},
                2);
  json rows = json::array();
  for (const discipline& what : everything) {
    for (const contestant& one : all) {
      const std::string label =
          &one == &bare ? std::to_string(what.request.at("threads").get<int>()) : "";
      rows.push_back(in_json(one, bare, what));
      if (!one.takes_part()) {
        printed.row({label, one.name(), "could not run"});
        continue;
      }
      const spread rate = one.of(what, &pace::per_second);
      const spread us = one.of(what, &pace::us);
      if (&one == &bare) {
        printed.row({label, "SoftHSM, bare", text_of(rate), number(us.median)});
        continue;
      }
      const spread part = one.of_other(bare, what);
      printed.row({label,
                   one.name(),
                   text_of(rate),
                   number(us.median),
                   fmt::format("{:.3f} ({:.3f} .. {:.3f})", part.median, part.least, part.most),
                   number(one.added(bare, what, &pace::us).median),
                   number(one.added(bare, what, &pace::cpu_us).median)});
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
  if (!p11_kit.takes_part()) print_note("p11-kit-proxy could not run: " + p11_kit.absent());

  const spread added = ours.added(bare, everything.front(), &pace::us);
  const spread added_cpu = ours.added(bare, everything.front(), &pace::cpu_us);
  reached.push_back(
      {"cost of a P-256 signature over bare C_Sign, one thread",
       fmt::format("<= {} us", number(promised_us)),
       fmt::format("{} us ({} us of CPU)", number(added.median), number(added_cpu.median)),
       added.median <= promised_us});
  return {{"rounds", with.rounds}, {"slice_ms", with.slice_ms}, {"rows", rows}};
}

}  // namespace hsmtls::bench
