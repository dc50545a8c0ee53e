#include "tests/bench/common/timed.hpp"

#include <time.h>

#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

namespace hsmtls::bench {
namespace {

using steady = std::chrono::steady_clock;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

json answer_of(std::uint64_t done, steady::duration took, double cpu) {
  return {{"done", done},
          {"seconds", std::chrono::duration<double>(took).count()},
          {"cpu_seconds", cpu}};
}

struct result {
  std::uint64_t done = 0;
  std::string failure;
};

}  // namespace

json work_for(std::size_t threads, std::chrono::milliseconds how_long, const piece_of_work& work) {
  std::vector<result> results(threads);
  steady::time_point until;
  // Threads are made before the clock starts.
  std::latch ready(static_cast<std::ptrdiff_t>(threads));
  std::latch go(1);
  std::vector<std::jthread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      result mine;
      ready.count_down();
      go.wait();
      try {
        while (steady::now() < until) {
          work(i);
          ++mine.done;
        }
      } catch (const std::exception& why) {
        mine.failure = why.what();
      }
      results[i] = mine;
    });
  }
  ready.wait();
  const double cpu = cpu_seconds();
  const auto began = steady::now();
  until = began + how_long;
  go.count_down();
  running.clear();
  const auto took = steady::now() - began;
  std::uint64_t done = 0;
  for (const result& one : results) {
    if (!one.failure.empty()) throw std::runtime_error(one.failure);
    done += one.done;
  }
  return answer_of(done, took, cpu_seconds() - cpu);
}

json work_times(std::uint64_t count, const piece_of_work& work) {
  const double cpu = cpu_seconds();
  const auto began = steady::now();
  for (std::uint64_t i = 0; i < count; ++i) work(0);
  return answer_of(count, steady::now() - began, cpu_seconds() - cpu);
}

json timed_work(const json& request, const piece_of_work& work) {
  if (request.contains("threads"))
    return work_for(request.at("threads"), std::chrono::milliseconds(request.at("ms")), work);
  return work_times(request.at("times"), work);
}

}  // namespace hsmtls::bench
