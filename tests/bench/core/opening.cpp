#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tests/bench/common/report.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/tokens.hpp"

namespace hsmtls::bench {
namespace {

constexpr int few_keys = 3;
constexpr int many_keys = 1000;

struct opener {
  std::string name;
  std::string kind;
};
const opener openers[] = {{"hsmtls, the key alone", "provider"},
                          {"hsmtls, certificate from the token", "certificate"},
                          {"libp11's engine", "engine"},
                          {"an application that lists all keys", "list"}};

struct times {
  std::vector<double> first;  // the module is loaded, the token logged in to
  std::vector<double> again;
};

struct calls {
  int first = 0;
  int again = 0;
};

class opening_in {
 public:
  opening_in(const std::string& vendor, int all_keys) : keys_(vendor), all_keys_(all_keys) {
    keys_.fill(all_keys - 2);
    worker_process preparer(keys_.ec().setup("prepare", ""), keys_.with(through(vendor)));
    preparer.ask(json::object());
    preparer.finish();
  }

  [[nodiscard]] int all_keys() const { return all_keys_; }

  [[nodiscard]] calls count(const opener& by) const {
    key_place place = keys_.ec();
    const environment where = keys_.with(through_chaos(place.where.module));
    place.where.module = where.at("HSMTLS_MODULE");
    json setup = place.setup("open", by.kind);
    setup["counted"] = true;
    worker_process worker(setup, where);
    const json first = worker.ask(json::object());
    const json again = worker.ask(json::object());
    worker.finish();
    return {first.at("calls"), again.at("calls")};
  }

  void time(const opener& by, times& into) const {
    const key_place place = keys_.ec();
    worker_process worker(place.setup("open", by.kind), keys_.with(through(place.where.module)));
    into.first.push_back(worker.ask(json::object()).at("ms"));
    into.again.push_back(worker.ask(json::object()).at("ms"));
    worker.finish();
  }

 private:
  softhsm_keys keys_;
  int all_keys_;
};

}  // namespace

json measure_opening(const common_options& with, bars& reached) {
  print_title(fmt::format(
      "Opening a key by its label: in a token with {} keys and with {}", few_keys, many_keys));
  const opening_in few(with.vendor, few_keys);
  const opening_in many(with.vendor, many_keys);
  const int rounds = std::max(7, with.rounds / 3);
  table printed({"", "keys", "calls", "ms (min .. max)", "calls again", "ms again"}, 1);
  json rows = json::array();
  bool constant = true;
  std::string measured;
  std::vector<std::string> absent;
  std::map<std::string, std::map<int, times>> all;
  for (int round = 0; round < rounds; ++round) {
    for (const opener& by : openers) {
      for (const opening_in* in : {&few, &many}) {
        try {
          in->time(by, all[by.name][in->all_keys()]);
        } catch (const std::runtime_error& why) {
          all[by.name].erase(in->all_keys());
          if (round == 0) absent.push_back(by.name + " could not run: " + why.what());
        }
      }
    }
  }
  for (const opener& by : openers) {
    std::optional<calls> in_few;
    for (const opening_in* in : {&few, &many}) {
      const auto found = all[by.name].find(in->all_keys());
      const std::string keys = std::to_string(in->all_keys());
      if (found == all[by.name].end()) {
        printed.row({by.name, keys, "could not run"});
        continue;
      }
      const calls counted = in->count(by);
      const spread first = spread_of(found->second.first);
      const spread again = spread_of(found->second.again);
      printed.row({by.name,
                   keys,
                   std::to_string(counted.first),
                   text_of(first),
                   std::to_string(counted.again),
                   text_of(again)});
      rows.push_back({{"name", by.name},
                      {"keys", in->all_keys()},
                      {"calls", counted.first},
                      {"calls_again", counted.again},
                      {"ms", as_json(first)},
                      {"ms_again", as_json(again)}});
      if (!by.name.starts_with("hsmtls")) continue;
      if (!in_few) in_few = counted;
      constant = constant && counted.first == in_few->first && counted.again == in_few->again;
      measured += fmt::format("{}{}", measured.empty() ? "" : ", ", counted.first);
    }
    printed.gap();
  }
  printed.print();
  print_note(
      "The first opening loads the module, initialises it and logs in, in a process of its own; "
      "\"again\" is the second.");
  for (const std::string& one : absent) print_note(one);
  reached.push_back({fmt::format("PKCS#11 calls to open a key among {} and among {}, without and "
                                 "with its certificate",
                                 few_keys,
                                 many_keys),
                     "constant",
                     measured,
                     constant});
  return {{"rounds", rounds}, {"rows", rows}};
}

}  // namespace hsmtls::bench
