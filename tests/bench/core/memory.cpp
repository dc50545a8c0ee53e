#include <fmt/format.h>

#include "tests/bench/common/report.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/tokens.hpp"

namespace hsmtls::bench {
namespace {

constexpr int count = 1000;

struct thing {
  const char* name;
  const char* what;
};
constexpr thing things[] = {{"identity, with a certificate", "identities"},
                            {"EVP_PKEY of an open identity", "provider"},
                            {"the same, hybrid", "hybrid"},
                            {"software key, for comparison", "software"}};

}  // namespace

json measure_memory(const common_options&, bars&) {
  print_title(fmt::format("Memory: mallinfo2's bytes in use, for each of {} (P-256)", count));
  table printed({"", "bytes each"});
  json rows = json::array();
  const key_place place = stub_ec();
  for (const thing& one : things) {
    worker_process worker(place.setup("memory", ""), through(place.where.module));
    const double bytes = worker.ask({{"what", one.what}, {"count", count}}).at("bytes");
    worker.finish();
    printed.row({one.name, number(bytes)});
    rows.push_back({{"name", one.name}, {"count", count}, {"bytes_each", bytes}});
  }
  printed.print();
  print_note(
      "Over the stub vendor, whose sessions and objects are in the same heap; one key, opened so "
      "often.");
  return rows;
}

}  // namespace hsmtls::bench
