// Tables on stdout, and what is computed from samples.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/common/bars.hpp"

namespace hsmtls::bench {

struct spread {
  double median = 0, least = 0, most = 0;
};

// `spread_of` wants at least one sample.
spread spread_of(std::vector<double> samples);
json as_json(const spread& of);

// A table whose first `texts` columns are flush left and whose others are flush right.
class table {
 public:
  explicit table(std::vector<std::string> header, std::size_t texts = 1)
      : texts_(texts), rows_{std::move(header)} {}

  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // A blank line.
  void gap() { rows_.emplace_back(); }
  void print() const;

 private:
  std::size_t texts_;
  std::vector<std::vector<std::string>> rows_;
};

void print_title(const std::string& title);
// `print_note` prints what has to be known about the table above.
void print_note(const std::string& sentence);

// "1234", "12.3", "1.23", "0.012"
std::string number(double value);
// "5.2 (4.9 .. 6.1)"
std::string text_of(const spread& of);

}  // namespace hsmtls::bench
