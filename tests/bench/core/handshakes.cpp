#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "tests/bench/common/contest.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/tokens.hpp"

namespace hsmtls::bench {
namespace {

struct entry {
  const char* name;
  const char* kind;
};
constexpr entry entries[] = {
    {"software key", "software"}, {"hsmtls", "provider"}, {"libp11's engine", "engine"}};

discipline full(int threads, int ms) {
  return {fmt::format("full, {}", threads), {{"resumed", false}, {"threads", threads}, {"ms", ms}}};
}

std::vector<contestant> line_up(const softhsm_keys& keys, const std::string& version) {
  std::vector<contestant> all;
  for (const entry& one : entries) {
    all.emplace_back(one.name, [&] {
      json setup = keys.ec().setup("handshake", one.kind);
      setup["version"] = version;
      return std::make_unique<worker_process>(setup, keys.with(through(keys.ec().where.module)));
    });
  }
  if (!all.front().takes_part()) throw std::runtime_error(all.front().absent());
  return all;
}

}  // namespace

json measure_handshakes(const common_options& with, bars&) {
  print_title("Mutual handshakes, both ends in this process; the client's P-256 key over SoftHSM");
  const softhsm_keys keys(with.vendor);
  table printed({"",
                 "threads",
                 "",
                 "handshakes/s (min .. max)",
                 "us (min .. max)",
                 "over software, us",
                 "of its rate"},
                3);
  json rows = json::array();
  std::vector<std::string> absent;
  for (const std::string version : {"1.3", "1.2"}) {
    std::vector<contestant> all = line_up(keys, version);
    const contestant& software = all[0];
    const std::vector<discipline> everything = {
        full(1, with.slice_ms),
        full(2, with.slice_ms),
        full(4, with.slice_ms),
        {"resumed, 1", {{"resumed", true}, {"threads", 1}, {"ms", with.slice_ms}}}};
    compete(all, everything, with.rounds);
    for (const discipline& what : everything) {
      for (const contestant& one : all) {
        json row = in_json(one, software, what);
        row["version"] = version;
        rows.push_back(row);
        const bool first = &one == &software;
        const std::string label =
            first ? fmt::format(
                        "TLS {}, {}", version, what.request.at("resumed") ? "resumed" : "full")
                  : "";
        const std::string threads =
            first ? std::to_string(what.request.at("threads").get<int>()) : "";
        if (!one.takes_part()) {
          printed.row({label, threads, one.name(), "could not run"});
          absent.push_back(one.name() + " could not run: " + one.absent());
          continue;
        }
        std::vector<std::string> cells = {label,
                                          threads,
                                          one.name(),
                                          text_of(one.of(what, &pace::per_second)),
                                          text_of(one.of(what, &pace::us))};
        if (!first) {
          cells.push_back(number(one.added(software, what, &pace::us).median));
          cells.push_back(fmt::format("{:.3f}", one.of_other(software, what).median));
        }
        printed.row(cells);
      }
      printed.gap();
    }
  }
  printed.print();
  print_note(fmt::format(
      "Medians of {} rounds; in each, everyone works for {} ms with each number of threads, in "
      "turn. A message goes each way.",
      with.rounds,
      with.slice_ms));
  absent.erase(std::unique(absent.begin(), absent.end()), absent.end());
  for (const std::string& one : absent) print_note(one);
  return {{"rounds", with.rounds}, {"slice_ms", with.slice_ms}, {"rows", rows}};
}

}  // namespace hsmtls::bench
