#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/common/report.hpp"
#include "tests/bench/common/worker_process.hpp"
#include "tests/bench/pkcs11/bench.hpp"
#include "tests/bench/pkcs11/worker.hpp"
#include "tests/support/chaos.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::bench {
namespace {

using std::chrono::milliseconds;

double ms_between(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) * 1e-6;
}

std::int64_t now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// One kind of loss. A sample is the time from the token's return to the end of the first good
// signature.
class loss {
 public:
  loss(const options& with,
       std::string token,
       std::string pin,
       std::string vendor,
       milliseconds deadline)
      : log_(fmt::format("{}/bench-log-{}", HSMTLS_TEST_SCRATCH, now_ns())),
        worker_(worker_options{{with.front, std::move(token), std::move(pin)}, HSMTLS_TEST_CHAOS}
                    .setup(),
                {{"HSMTLS_MODULE", HSMTLS_TEST_CHAOS},
                 {"HSMTLS_CHAOS_MODULE", std::move(vendor)},
                 {"HSMTLS_DEADLINE_MS", std::to_string(deadline.count())},
                 {"HSMTLS_LOG", log_.string()}}) {
    sign();
  }
  ~loss() {
    std::error_code ignored;
    std::filesystem::remove(log_, ignored);
  }
  loss(const loss&) = delete;
  loss& operator=(const loss&) = delete;

  void chaos(const std::string& script) { worker_.ask({{"do", "chaos"}, {"script", script}}); }

  // Milliseconds that a signature takes now; it has to succeed.
  double sign() {
    const auto said = good(worker_.ask({{"do", "sign_once"}}));
    return ms_between(said.at("began_ns"), said.at("ended_ns"));
  }

  // A signature that has to fail: somebody notices that the token is away.
  void fail() {
    if (worker_.ask({{"do", "sign_once"}}).at("rv") == "CKR_OK") {
      throw std::runtime_error("a token that is away signed");
    }
  }

  // Milliseconds from the end of `give_back` until the signature that waits all the while is there.
  double wait_for(const std::function<void()>& give_back) {
    worker_.tell({{"do", "sign_once"}});
    give_back();
    const std::int64_t back = now_ns();
    return ms_between(back, good(worker_.answer()).at("ended_ns"));
  }

  void finish() { worker_.finish(); }

  [[nodiscard]] std::string log() const {
    std::ostringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }

  // The rungs that the log tells of: "1", "2", "1, 2", or "none".
  [[nodiscard]] std::string rungs() const {
    std::string text;
    std::ifstream file(log_);
    bool seen[3] = {};
    for (std::string line; std::getline(file, line);) {
      if (line.find(" restored ") == std::string::npos) continue;
      for (const int rung : {1, 2}) {
        seen[rung] = seen[rung] || line.find(fmt::format(" rung={} ", rung)) != std::string::npos;
      }
    }
    for (const int rung : {1, 2}) {
      if (seen[rung]) text += (text.empty() ? "" : ", ") + std::to_string(rung);
    }
    return text.empty() ? "none" : text;
  }

 private:
  static nlohmann::json good(nlohmann::json said) {
    const std::string rv = said.at("rv");
    if (rv != "CKR_OK") throw std::runtime_error("no recovery: " + rv);
    return said;
  }

  std::filesystem::path log_;
  worker_process worker_;
};

class recoveries {
 public:
  explicit recoveries(int count) : count_(count) {}

  void add(const std::string& what, loss& in, const std::function<double()>& sample) {
    std::vector<double> all;
    all.reserve(static_cast<std::size_t>(count_));
    try {
      for (int i = 0; i < count_; ++i) all.push_back(sample());
    } catch (const std::exception& why) {
      throw std::runtime_error(
          fmt::format("{}: {}\nThe module's log:\n{}", what, why.what(), in.log()));
    }
    in.finish();
    const spread ms = spread_of(all);
    printed_.row({what, in.rungs(), number(ms.median), number(ms.least), number(ms.most)});
    rows_.push_back({{"what", what},
                     {"rungs", in.rungs()},
                     {"samples", count_},
                     {"median_ms", ms.median},
                     {"min_ms", ms.least},
                     {"max_ms", ms.most}});
  }

  json print() const {
    printed_.print();
    return rows_;
  }

 private:
  int count_;
  table printed_{{"", "rung", "ms", "min", "max"}};
  json rows_ = json::array();
};

}  // namespace

json measure_recovery(const options& with, bars&) {
  print_title("Time to recover: from the token's return to the end of the first signature");
  recoveries all(with.recoveries);
  constexpr milliseconds patient{10'000};
  // Short, so that the signature which notices that the token is away is soon over.
  constexpr milliseconds impatient{100};
  constexpr milliseconds away{200};

  const test::softhsm_token token;
  token.generate_ec_p256("device-key", "01");
  const auto over_softhsm = [&](milliseconds deadline) {
    return loss(with, token.label(), token.user_pin(), with.vendor, deadline);
  };
  const auto over_stub = [&](milliseconds deadline) {
    return loss(with, "stub-a", "1234", HSMTLS_TEST_STUB_VENDOR, deadline);
  };
  {
    loss in = over_softhsm(patient);
    all.add("SoftHSM: no loss, for comparison", in, [&] { return in.sign(); });
  }
  {
    loss in = over_softhsm(patient);
    all.add("SoftHSM: sessions dropped", in, [&] {
      in.chaos("drop-sessions");
      return in.sign();
    });
  }
  {
    loss in = over_softhsm(patient);
    all.add("SoftHSM: token folder away and back, no call meanwhile", in, [&] {
      token.move_away();
      token.move_back();
      return in.sign();
    });
  }
  {
    loss in = over_softhsm(impatient);
    all.add("SoftHSM: token folder away, a signature failed meanwhile", in, [&] {
      token.move_away();
      in.fail();
      token.move_back();
      return in.sign();
    });
  }
  {
    loss in = over_softhsm(patient);
    all.add(fmt::format("SoftHSM: token folder away for {} ms, a signature waits", away.count()),
            in,
            [&] {
              token.move_away();
              return in.wait_for([&] {
                std::this_thread::sleep_for(away);
                token.move_back();
              });
            });
  }
  {
    loss in = over_stub(patient);
    all.add("stub vendor: no loss, for comparison", in, [&] { return in.sign(); });
  }
  {
    loss in = over_stub(patient);
    all.add("stub vendor: sessions dropped", in, [&] {
      in.chaos("drop-sessions");
      return in.sign();
    });
  }
  {
    loss in = over_stub(patient);
    all.add("stub vendor: token back, wants C_Finalize and C_Initialize", in, [&] {
      in.chaos("remove-token; return-token needs-reinit");
      return in.sign();
    });
  }
  json rows = all.print();
  print_note(
      "\"rung\" is what the module's log says: 1, new session and login; 2, C_Finalize and "
      "C_Initialize first.");
  return rows;
}

}  // namespace hsmtls::bench
