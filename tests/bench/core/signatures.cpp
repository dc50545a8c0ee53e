#include <fmt/format.h>

#include <stdexcept>

#include "tests/bench/common/contest.hpp"
#include "tests/bench/core/bench.hpp"
#include "tests/bench/core/tokens.hpp"

namespace hsmtls::bench {
namespace {

constexpr double promised_us = 10;

struct entry {
  const char* name;
  const char* kind;
};
constexpr entry entries[] = {{"bare", "bare"},
                             {"hsmtls", "provider"},
                             {"hsmtls, legacy half of a hybrid", "hybrid"},
                             {"hsmtls, method key", "method"},
                             {"libp11's engine", "engine"},
                             {"software key", "software"}};

struct event {
  const char* name;
  const char* scheme;
  bool rsa;
};
constexpr event events[] = {{"ECDSA P-256", "ecdsa", false},
                            {"RSA 2048 PKCS#1", "pkcs1", true},
                            {"RSA 2048 PSS", "pss", true}};

std::vector<contestant> line_up(const softhsm_keys& keys, const event& in) {
  std::vector<contestant> all;
  for (const entry& one : entries) {
    all.emplace_back(one.name, [&] {
      const key_place place = in.rsa ? keys.rsa() : keys.ec();
      json setup = place.setup("sign", one.kind);
      setup["scheme"] = in.scheme;
      return std::make_unique<worker_process>(setup, keys.with(through(place.where.module)));
    });
  }
  if (!all.front().takes_part()) throw std::runtime_error(all.front().absent());
  return all;
}

}  // namespace

json measure_signatures(const common_options& with, bars& reached) {
  print_title("A signature over SoftHSM, one thread: bare C_SignInit and C_Sign, and by EVP_PKEYs");
  const softhsm_keys keys(with.vendor);
  table printed(
      {"", "", "us (min .. max)", "added us (min .. max)", "added us of CPU", "of bare's rate"}, 2);
  json rows = json::array();
  std::vector<std::string> absent;
  for (const event& in : events) {
    std::vector<contestant> all = line_up(keys, in);
    const contestant &bare = all[0], &ours = all[1];
    const discipline what{in.name, {{"threads", 1}, {"ms", with.slice_ms}}};
    compete(all, {what}, with.rounds);
    for (const contestant& one : all) {
      rows.push_back(in_json(one, bare, what));
      const std::string label = &one == &bare ? in.name : "";
      if (!one.takes_part()) {
        printed.row({label, one.name(), "could not run"});
        if (in.name == events[0].name)
          absent.push_back(one.name() + " could not run: " + one.absent());
        continue;
      }
      const spread us = one.of(what, &pace::us);
      if (&one == &bare) {
        printed.row({label, one.name(), text_of(us)});
        continue;
      }
      printed.row({label,
                   one.name(),
                   text_of(us),
                   text_of(one.added(bare, what, &pace::us)),
                   number(one.added(bare, what, &pace::cpu_us).median),
                   fmt::format("{:.3f}", one.of_other(bare, what).median)});
    }
    printed.gap();
    if (in.rsa) continue;
    const spread added = ours.added(bare, what, &pace::us);
    const spread added_cpu = ours.added(bare, what, &pace::cpu_us);
    reached.push_back(
        {"cost of a P-256 signature by an EVP_PKEY over bare C_Sign",
         fmt::format("<= {} us", number(promised_us)),
         fmt::format("{} us ({} us of CPU)", number(added.median), number(added_cpu.median)),
         added.median <= promised_us});
  }
  printed.print();
  print_note(fmt::format(
      "Medians of {} rounds; in each, everyone signs for {} ms, in turn. \"added\" is compared "
      "within each round.",
      with.rounds,
      with.slice_ms));
  print_note(
      "By an EVP_PKEY: EVP_DigestSignInit_ex and EVP_DigestSign of 130 bytes in a new context, as "
      "libssl does; bare: of a digest.");
  for (const std::string& one : absent) print_note(one);
  return {{"rounds", with.rounds}, {"slice_ms", with.slice_ms}, {"rows", rows}};
}

}  // namespace hsmtls::bench
