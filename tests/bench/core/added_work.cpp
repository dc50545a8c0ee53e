#include <fmt/format.h>

#include <stdexcept>

#include "tests/bench/common/callgrind.hpp"
#include "tests/bench/common/report.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/tokens.hpp"

namespace hsmtls::bench {
namespace {

struct signature {
  const char* name;
  const char* scheme;
  key_place place;
  bool
      legacy_too;  // PSS by a legacy half is a raw RSA operation, which the stub vendor does not have
};

double instructions_by(const char* kind, const signature& of) {
  json setup = of.place.setup("sign", kind);
  setup["scheme"] = of.scheme;
  return instructions_of(setup, through(of.place.where.module), json::object());
}

}  // namespace

json measure_added_work(const common_options&, bars&) {
  print_title("Instructions of a signature over the stub vendor (no cryptography), by callgrind");
  const signature all[] = {{"ECDSA P-256", "ecdsa", stub_ec(), true},
                           {"RSA 2048 PKCS#1", "pkcs1", stub_rsa(), true},
                           {"RSA 2048 PSS", "pss", stub_rsa(), false}};
  table printed({"", "bare", "hsmtls", "added", "legacy half", "added"});
  json rows = json::array();
  try {
    for (const signature& one : all) {
      const double bare = instructions_by("bare", one);
      const double ours = instructions_by("provider", one);
      json row = {{"name", one.name}, {"bare", bare}, {"hsmtls", ours}, {"added", ours - bare}};
      std::vector<std::string> cells = {
          one.name, number(bare), number(ours), number(ours - bare), "-", "-"};
      if (one.legacy_too) {
        const double legacy = instructions_by("hybrid", one);
        row["legacy_half"] = legacy;
        row["legacy_half_added"] = legacy - bare;
        cells[4] = number(legacy);
        cells[5] = number(legacy - bare);
      }
      printed.row(cells);
      rows.push_back(row);
    }
  } catch (const std::runtime_error& why) {
    print_note(std::string("callgrind could not run: ") + why.what());
    return {{"could_not_run", why.what()}};
  }
  printed.print();
  print_note(instructions_note + " OpenSSL's own are among them: context, digest, dispatch.");
  return rows;
}

}  // namespace hsmtls::bench
