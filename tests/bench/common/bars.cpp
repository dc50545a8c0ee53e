#include "tests/bench/common/bars.hpp"

#include "tests/bench/common/report.hpp"

namespace hsmtls::bench {

void print(const bars& all) {
  print_title("Against what is promised");
  table printed({"", "promised", "measured", ""});
  for (const bar& one : all)
    printed.row({one.what, one.promised, one.measured, one.met ? "met" : "MISSED"});
  printed.print();
}

json as_json(const bars& all) {
  json out = json::array();
  for (const bar& one : all) {
    out.push_back({{"what", one.what},
                   {"promised", one.promised},
                   {"measured", one.measured},
                   {"met", one.met}});
  }
  return out;
}

}  // namespace hsmtls::bench
