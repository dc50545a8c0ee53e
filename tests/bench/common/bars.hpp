// Numbers that the design promises, next to what came out.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hsmtls::bench {

using json = nlohmann::ordered_json;

struct bar {
  std::string what;
  std::string promised;
  std::string measured;
  bool met = false;
};
using bars = std::vector<bar>;

void print(const bars& all);
json as_json(const bars& all);

}  // namespace hsmtls::bench
