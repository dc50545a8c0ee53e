#include <fmt/format.h>

#include "tests/bench/common/report.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/tokens.hpp"

namespace hsmtls::bench {
namespace {

constexpr int promised_full = 2;           // C_SignInit, C_Sign
constexpr int promised_authenticated = 3;  // and C_Login(CKU_CONTEXT_SPECIFIC)

struct most {
  int full = 0;
  int resumed = 0;
};

// Counts all versions and roles of one key, a row each.
most count(const key_place& place,
           const environment& where,
           const std::string& name,
           table& printed,
           json& rows) {
  most seen;
  worker_process worker(place.setup("calls", "provider"), where);
  for (const std::string version : {"1.3", "1.2"}) {
    for (const std::string role : {"client", "server"}) {
      const json said = worker.ask({{"role", role}, {"version", version}});
      const int full = said.at("full");
      const int resumed = said.at("resumed");
      seen = {std::max(seen.full, full), std::max(seen.resumed, resumed)};
      printed.row({name, "TLS " + version, role, std::to_string(full), std::to_string(resumed)});
      rows.push_back({{"key", name},
                      {"version", version},
                      {"role", role},
                      {"full", full},
                      {"resumed", resumed}});
    }
  }
  worker.finish();
  return seen;
}

}  // namespace

json measure_calls(const common_options& with, bars& reached) {
  print_title("PKCS#11 calls of a handshake with the key in a token, warm");
  const softhsm_keys keys(with.vendor);
  const environment plain = keys.with(through_chaos(with.vendor));
  const environment authenticating =
      keys.with(through_chaos(with.vendor, "always-authenticate pin=" + keys.ec().where.pin));
  table printed({"key", "", "as", "full", "resumed"}, 3);
  json rows = json::array();
  const most ec = count(keys.ec(), plain, "EC P-256", printed, rows);
  const most rsa = count(keys.rsa(), plain, "RSA 2048", printed, rows);
  const most careful =
      count(keys.ec(), authenticating, "EC P-256, always-authenticate", printed, rows);
  printed.print();

  const auto held = [&](const std::string& what, int promised, int measured) {
    reached.push_back(
        {what, std::to_string(promised), std::to_string(measured), measured == promised});
  };
  held("PKCS#11 calls of a full handshake", promised_full, std::max(ec.full, rsa.full));
  held("PKCS#11 calls of a full handshake, always-authenticate",
       promised_authenticated,
       careful.full);
  held("PKCS#11 calls of a resumed handshake",
       0,
       std::max({ec.resumed, rsa.resumed, careful.resumed}));
  return rows;
}

}  // namespace hsmtls::bench
