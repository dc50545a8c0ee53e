#include "tests/bench/common/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/bench/common/report.hpp"
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

// The module itself tells only the first two numbers of its version.
std::string softhsm_version() {
  std::array<char, 80> line{};
  FILE* const said = popen("softhsm2-util --version 2>/dev/null", "r");
  if (said != nullptr) {
    if (std::fgets(line.data(), line.size(), said) == nullptr) line.front() = '\0';
    pclose(said);
  }
  std::string version = line.data();
  version.erase(version.find_last_not_of('\n') + 1);
  return version.empty() ? "SoftHSM of unknown version" : "SoftHSM " + version;
}

void write(const std::string& file, const json& what) {
  if (const auto folder = std::filesystem::path(file).parent_path(); !folder.empty()) {
    std::filesystem::create_directories(folder);
  }
  std::ofstream out(file);
  out << what.dump(2) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

void measure(const program& what,
             const std::set<std::string>& wanted,
             const std::string& json_file) {
  const unsigned cores = std::thread::hardware_concurrency();
  const double load = load_average();
  const std::string versions = softhsm_version() + (what.uses.empty() ? "" : ", " + what.uses);
  fmt::print("   {}, {} cores, load average {:.2f} at the start\n", processor(), cores, load);
  print_note(versions);
  if (load > cores / 2.0)
    print_note("Others are using this machine: times are worse than they are on an idle one.");

  bars reached;
  json all = {{"processor", processor()},
              {"cores", cores},
              {"load_average_at_start", load},
              {"versions", versions}};
  for (const part& one : what.parts) {
    if (wanted.empty() || wanted.contains(one.name)) all[one.name] = one.measure(reached);
  }
  if (!reached.empty()) print(reached);
  all["load_average_at_end"] = load_average();
  all["bars"] = as_json(reached);
  if (!json_file.empty()) write(json_file, all);
}

int run_measurements(const program& what, int argc, char** argv) {
  CLI::App app(what.description, what.name);
  std::string json_file;
  std::set<std::string> wanted;
  std::set<std::string> names;
  for (const part& one : what.parts) names.insert(one.name);
  app.add_option("--json", json_file, "write everything to this file, too");
  app.add_option("--only", wanted, "measure only these parts")
      ->check(CLI::IsMember(names))
      ->delimiter(',');
  app.add_option("--rounds", what.with->rounds, "rounds in which the contestants take turns")
      ->check(CLI::Range(7, 1000))
      ->capture_default_str();
  app.add_option("--slice-ms", what.with->slice_ms, "how long each works in a round")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  what.with->vendor = test::softhsm_module();
  app.add_option("--vendor", what.with->vendor, "SoftHSM's module")
      ->envname("HSMTLS_BENCH_VENDOR")
      ->capture_default_str();
  if (what.add_options) what.add_options(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // The support library asks this, too, where it finds SoftHSM.
  setenv("HSMTLS_TEST_SOFTHSM", what.with->vendor.c_str(), 1);
  measure(what, wanted, json_file);
  return 0;
}

}  // namespace

int run(const program& what, int argc, char** argv) try {
  if (argc == 3 && argv[1] == std::string("worker")) {
    const json setup = json::parse(argv[2]);
    return serve([&] { return what.make_job(setup); });
  }
  return run_measurements(what, argc, argv);
} catch (const std::exception& error) {
  fmt::print(stderr, "{}: {}\n", what.name, error.what());
  return 1;
}

}  // namespace hsmtls::bench
