#include "tests/bench/common/contest.hpp"

#include <stdexcept>

namespace hsmtls::bench {
namespace {

// Who is the `place`th in a round. Nobody is always first, and nobody always follows the same one.
std::size_t turn_of(int round, std::size_t place, std::size_t all) {
  const std::size_t turn = static_cast<std::size_t>(round) + 1;
  return ((turn % 2 == 0 ? place : all - 1 - place) + turn / 2) % all;
}

pace pace_of(const json& said, int threads) {
  const double done = said.at("done");
  const double seconds = said.at("seconds");
  const double cpu_seconds = said.at("cpu_seconds");
  return {done / seconds, seconds * threads / done * 1e6, cpu_seconds / done * 1e6};
}

}  // namespace

contestant::contestant(std::string name,
                       const std::function<std::unique_ptr<worker_process>()>& start)
    : name_(std::move(name)) {
  try {
    worker_ = start();
  } catch (const std::runtime_error& why) {
    absent_ = why.what();
  }
}

void contestant::do_once(const discipline& what, bool counts) {
  const pace got = pace_of(worker_->ask(what.request), what.request.value("threads", 1));
  if (counts) paces_[what.name].push_back(got);
}

void contestant::finish() {
  worker_->finish();
}

template <class Value>
spread contestant::by_round(const contestant& other, const discipline& what, Value&& value) const {
  std::vector<double> all;
  const auto& mine = paces_.at(what.name);
  const auto& theirs = other.paces_.at(what.name);
  for (std::size_t i = 0; i < mine.size(); ++i) all.push_back(value(mine[i], theirs[i]));
  return spread_of(all);
}

spread contestant::of(const discipline& what, double pace::*value) const {
  return by_round(*this, what, [&](const pace& mine, const pace&) { return mine.*value; });
}

spread contestant::of_other(const contestant& other, const discipline& what) const {
  return by_round(other, what, [](const pace& mine, const pace& theirs) {
    return mine.per_second / theirs.per_second;
  });
}

spread contestant::added(const contestant& other,
                         const discipline& what,
                         double pace::*value) const {
  return by_round(other, what, [&](const pace& mine, const pace& theirs) {
    return mine.*value - theirs.*value;
  });
}

void compete(std::vector<contestant>& all, const std::vector<discipline>& everything, int rounds) {
  for (int round = -1; round < rounds; ++round) {
    for (const discipline& what : everything) {
      for (std::size_t i = 0; i < all.size(); ++i) {
        contestant& one = all[turn_of(round, i, all.size())];
        // The first round is for the caches.
        if (one.takes_part()) one.do_once(what, round >= 0);
      }
    }
  }
  for (contestant& one : all) {
    if (one.takes_part()) one.finish();
  }
}

json in_json(const contestant& one, const contestant& base, const discipline& what) {
  if (!one.takes_part()) return {{"name", one.name()}, {"could_not_run", one.absent()}};
  json row = {{"name", one.name()},
              {"discipline", what.name},
              {"per_second", as_json(one.of(what, &pace::per_second))},
              {"microseconds", as_json(one.of(what, &pace::us))},
              {"cpu_microseconds", as_json(one.of(what, &pace::cpu_us))}};
  if (&one != &base && base.takes_part()) {
    row["of_" + base.name()] = as_json(one.of_other(base, what));
    row["added_microseconds"] = as_json(one.added(base, what, &pace::us));
    row["added_cpu_microseconds"] = as_json(one.added(base, what, &pace::cpu_us));
  }
  return row;
}

}  // namespace hsmtls::bench
