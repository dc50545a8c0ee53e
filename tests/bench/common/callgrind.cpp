#include "tests/bench/common/callgrind.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace hsmtls::bench {
namespace {

constexpr int short_run = 1000;
constexpr int long_run = 6000;

std::uint64_t instructions_of_run(const json& setup, const environment& extra, json request) {
  const std::string profile = fmt::format("{}/bench-callgrind-{}", HSMTLS_TEST_SCRATCH, getpid());
  worker_process worker(
      setup, extra, {"valgrind", "--tool=callgrind", "--callgrind-out-file=" + profile});
  worker.ask(request);
  worker.finish();
  std::ifstream file(profile);
  std::uint64_t total = 0;
  for (std::string line; std::getline(file, line);) {
    for (const std::string name : {"summary: ", "totals: "}) {
      if (line.starts_with(name)) total = std::stoull(line.substr(name.size()));
    }
  }
  file.close();
  std::filesystem::remove(profile);
  if (total == 0) throw std::runtime_error("callgrind's output has no total");
  return total;
}

}  // namespace

const std::string instructions_note =
    fmt::format("Instructions: a run of {} times less one of {}, divided.", long_run, short_run);

double instructions_of(const json& setup, const environment& extra, const json& request) {
  const auto run = [&](int times) {
    json so_often = request;
    so_often["times"] = times;
    return instructions_of_run(setup, extra, so_often);
  };
  const std::uint64_t few = run(short_run);
  const std::uint64_t many = run(long_run);
  return (static_cast<double>(many) - static_cast<double>(few)) / (long_run - short_run);
}

}  // namespace hsmtls::bench
