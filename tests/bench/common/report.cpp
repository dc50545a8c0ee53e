#include "tests/bench/common/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hsmtls::bench {

spread spread_of(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const std::size_t middle = samples.size() / 2;
  const double median =
      samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
  return {median, samples.front(), samples.back()};
}

void table::print() const {
  std::vector<std::size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  for (const auto& cells : rows_) {
    std::string line = "  ";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string blanks(widths[i] - cells[i].size(), ' ');
      line += i == 0 ? " " : "  ";
      line += i < texts_ ? cells[i] + blanks : blanks + cells[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
  std::fflush(stdout);
}

void print_title(const std::string& title) {
  fmt::print("\n   {}\n\n", title);
  std::fflush(stdout);
}

void print_note(const std::string& sentence) {
  fmt::print("   {}\n", sentence);
  std::fflush(stdout);
}

std::string number(double value) {
  const double size = std::fabs(value);
  return fmt::format("{:.{}f}",
                     value,
                     size >= 99.5                  ? 0
                     : size >= 9.95                ? 1
                     : size >= 0.0995 || size == 0 ? 2
                                                   : 3);
}

json as_json(const spread& of) {
  return {{"median", of.median}, {"min", of.least}, {"max", of.most}};
}

std::string text_of(const spread& of) {
  return fmt::format("{} ({} .. {})", number(of.median), number(of.least), number(of.most));
}

}  // namespace hsmtls::bench
