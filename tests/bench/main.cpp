// hsmtls-bench-pkcs11: what the front module costs, in time, calls and instructions, and how fast
// it recovers. `scripts/bench pkcs11` calls it. Each contestant signs in a process of its own
// (worker.hpp).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/bench/bench.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/worker.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::bench {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

double load_average() {
  double one_minute = 0;
  return getloadavg(&one_minute, 1) == 1 ? one_minute : 0;
}

struct part {
  const char* name;
  json (*measure)(const options&, std::vector<bar>&);
};
constexpr part parts[] = {{"signatures", measure_signatures},
                          {"slow_token", measure_slow_token},
                          {"added_work", measure_added_work},
                          {"recovery", measure_recovery}};

void print_bars(const std::vector<bar>& bars) {
  print_title("Against what is promised");
  table printed({"", "promised", "measured", ""});
  for (const bar& one : bars)
    printed.row({one.what, one.promised, one.measured, one.met ? "met" : "MISSED"});
  printed.print();
}

json as_json(const std::vector<bar>& bars) {
  json out = json::array();
  for (const bar& one : bars) {
    out.push_back({{"what", one.what},
                   {"promised", one.promised},
                   {"measured", one.measured},
                   {"met", one.met}});
  }
  return out;
}

void write(const std::string& file, const json& what) {
  if (const auto folder = std::filesystem::path(file).parent_path(); !folder.empty()) {
    std::filesystem::create_directories(folder);
  }
  std::ofstream out(file);
  out << what.dump(2) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

void measure(const options& with,
             const std::set<std::string>& wanted,
             const std::string& json_file) {
  const unsigned cores = std::thread::hardware_concurrency();
  const double load = load_average();
  fmt::print("   {}, {} cores, load average {:.2f} at the start\n", processor(), cores, load);
  if (load > cores / 2.0)
    print_note("Others are using this machine: times are worse than they are on an idle one.");

  std::vector<bar> bars;
  json all = {{"processor", processor()}, {"cores", cores}, {"load_average_at_start", load}};
  for (const part& one : parts) {
    if (wanted.empty() || wanted.contains(one.name)) all[one.name] = one.measure(with, bars);
  }
  if (!bars.empty()) print_bars(bars);
  all["bars"] = as_json(bars);
  if (!json_file.empty()) write(json_file, all);
}

int run(int argc, char** argv) {
  CLI::App app(
      "Measures libhsmtls-pkcs11.so: signatures per second beside the bare module and "
      "p11-kit-proxy, calls and\n"
      "instructions added, time to recover.",
      "hsmtls-bench-pkcs11");
  options with{.vendor = test::softhsm_module(), .front = HSMTLS_BENCH_FRONT};
  std::string json_file;
  std::set<std::string> wanted;
  std::set<std::string> names;
  for (const part& one : parts) names.insert(one.name);
  app.add_option("--json", json_file, "write everything to this file, too");
  app.add_option("--only", wanted, "measure only these parts")
      ->check(CLI::IsMember(names))
      ->delimiter(',');
  app.add_option("--rounds", with.rounds, "rounds of signatures")
      ->check(CLI::Range(7, 1000))
      ->capture_default_str();
  app.add_option("--slice-ms", with.slice_ms, "how long one module signs in a round")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--recoveries", with.recoveries, "losses of each kind")
      ->check(CLI::Range(20, 1000))
      ->capture_default_str();
  app.add_option("--vendor", with.vendor, "SoftHSM's module")
      ->envname("HSMTLS_BENCH_VENDOR")
      ->capture_default_str();
  app.add_option("--front", with.front, "our module")
      ->envname("HSMTLS_BENCH_FRONT")
      ->capture_default_str();

  worker_options in_worker;
  CLI::App* worker = app.add_subcommand("worker")->group("");
  worker->add_option("--module", in_worker.module)->required();
  worker->add_option("--token", in_worker.token)->required();
  worker->add_option("--pin", in_worker.pin)->required();
  worker->add_option("--chaos", in_worker.chaos);
  worker->add_option("--sessions", in_worker.sessions);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (*worker) return run_worker(in_worker);
  // The support library asks this, too, where it finds SoftHSM.
  setenv("HSMTLS_TEST_SOFTHSM", with.vendor.c_str(), 1);
  measure(with, wanted, json_file);
  return 0;
}

}  // namespace
}  // namespace hsmtls::bench

int main(int argc, char** argv) try {
  return hsmtls::bench::run(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hsmtls-bench-pkcs11: %s\n", error.what());
  return 1;
}
