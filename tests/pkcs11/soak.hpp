// Signing under threads while the token is reset, many times: what soak tests share.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/soak_size.hpp"

namespace hsmtls::test {

// Where a token may be reset besides at a moment of chance.
inline const std::string soak_steps[] = {
    "C_SignInit", "C_Sign", "C_Login", "C_FindObjects", "C_OpenSession", "C_GetTokenInfo"};

// `recovery_times` reads from the log how long each recovery took, in milliseconds, sorted.
inline std::vector<double> recovery_times(const std::string& log) {
  std::vector<double> all;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(" ms=");
    if (line.find(" restored ") != std::string::npos && at != std::string::npos)
      all.push_back(std::stod(line.substr(at + 4)));
  }
  std::sort(all.begin(), all.end());
  return all;
}

// Threads that sign until they are told to stop; what came of it.
class signers {
 public:
  // sign(number of the thread): CKR_OK or what went wrong. right(…): nothing, or an addition to
  // `wrong`.
  using one_signature = std::function<CK_RV(int thread)>;

  signers(int threads, const one_signature& sign) : done_by_(threads) {
    for (int t = 0; t < threads; ++t) {
      threads_.emplace_back([this, t, sign] {
        while (!stop_) {
          const CK_RV rv = sign(t);
          if (rv == CKR_OK) {
            ++done_by_[t];
            ++done_;
            done_.notify_all();
          } else {
            note(rv);
          }
        }
      });
    }
  }
  ~signers() { finish(); }
  signers(const signers&) = delete;
  signers& operator=(const signers&) = delete;

  [[nodiscard]] uint64_t done() const { return done_; }
  [[nodiscard]] uint64_t done_by(int thread) const { return done_by_[thread]; }
  [[nodiscard]] int failed() const { return failed_; }
  // What the failed ones were answered, and how often.
  [[nodiscard]] std::string failures() const {
    std::lock_guard held(mutex_);
    std::string all;
    for (const auto& [rv, times] : answers_)
      all += pkcs11::rv_name(rv) + " " + std::to_string(times) + " times; ";
    return all;
  }

  // `wait_for_more` waits until one more signature was made than `before`. A signature that never
  // comes is for the test's time limit.
  void wait_for_more(uint64_t before) const {
    for (uint64_t now = done_; now <= before; now = done_) done_.wait(now);
  }
  void wait_for_each() const {
    std::vector<uint64_t> before;
    for (const auto& one : done_by_) before.push_back(one);
    for (size_t t = 0; t < before.size(); ++t) {
      while (done_by_[t] <= before[t]) wait_for_more(done_);
    }
  }
  void finish() {
    stop_ = true;
    for (auto& one : threads_) one.join();
    threads_.clear();
  }

 private:
  void note(CK_RV rv) {
    std::lock_guard held(mutex_);
    ++answers_[rv];
    ++failed_;
  }

  std::vector<std::atomic<uint64_t>> done_by_;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<int> failed_ = 0;
  mutable std::mutex mutex_;
  std::map<CK_RV, int> answers_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

// `reset_many_times` resets the token, at a moment of chance or also at a step of the recovery,
// with a signature between each two resets; then prints the figures.
inline void reset_many_times(const chaos& trouble,
                             const log_file& log,
                             signers& workers,
                             int resets,
                             const std::string& what,
                             const std::function<void(int)>& reset) {
  std::mt19937 chance(4711);
  for (int i = 0; i < resets; ++i) {
    const uint64_t before = workers.done();
    reset(i);
    workers.wait_for_more(before);
    // So many more that the next reset meets the threads somewhere else.
    for (uint32_t n = chance() % 8; n > 0; --n) workers.wait_for_more(workers.done());
  }
  trouble.run("clear");
  workers.wait_for_each();
  workers.finish();
  EXPECT_EQ(0, workers.failed()) << workers.failures();
  const auto times = recovery_times(log.text());
  ASSERT_FALSE(times.empty());
  std::printf(
      "| %s | %d resets | %llu signatures | %d failed | recovery %.1f ms median, %.1f ms max |\n",
      what.c_str(),
      resets,
      static_cast<unsigned long long>(workers.done()),
      workers.failed(),
      times[times.size() / 2],
      times.back());
}

// A reset now; every other one with a second one at a step of what follows.
inline void reset_somewhere(const chaos& trouble, int number) {
  if (number % 2 == 0) {
    trouble.run("drop-sessions");
  } else {
    trouble.run("drop-sessions-at " +
                soak_steps[static_cast<size_t>(number / 2) % std::size(soak_steps)] +
                " 1; drop-sessions");
  }
}

}  // namespace hsmtls::test
