// Contestants that take turns, round by round: what comes and goes on the machine hits them all.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/common/report.hpp"
#include "tests/bench/common/worker_process.hpp"

namespace hsmtls::bench {

struct pace {
  double per_second;
  double us;      // what a thread waits for one piece of work
  double cpu_us;  // processor time of it, of all threads
};

// What the contestants do: a request that is answered as timed.hpp says.
struct discipline {
  std::string name;
  json request;
};

class contestant {
 public:
  // What `start` throws is why it does not take part.
  contestant(std::string name, const std::function<std::unique_ptr<worker_process>()>& start);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool takes_part() const { return worker_ != nullptr; }
  [[nodiscard]] const std::string& absent() const { return absent_; }

  void do_once(const discipline& what, bool counts);
  // `finish` ends its process, whose exit status has to be 0.
  void finish();

  [[nodiscard]] spread of(const discipline& what, double pace::*value) const;
  // `of_other` compares the rates within each round; `added` the differences of a value.
  [[nodiscard]] spread of_other(const contestant& other, const discipline& what) const;
  [[nodiscard]] spread added(const contestant& other,
                             const discipline& what,
                             double pace::*value) const;

 private:
  template <class Value>
  [[nodiscard]] spread by_round(const contestant& other,
                                const discipline& what,
                                Value&& value) const;

  std::string name_;
  std::unique_ptr<worker_process> worker_;
  std::string absent_;
  std::map<std::string, std::vector<pace>> paces_;
};

// `compete` has all who take part do everything, in so many rounds, and ends them.
void compete(std::vector<contestant>& all, const std::vector<discipline>& everything, int rounds);

// `in_json` is a contestant's row: its rate and times, and, of another than `base`, what it added.
json in_json(const contestant& one, const contestant& base, const discipline& what);

}  // namespace hsmtls::bench
