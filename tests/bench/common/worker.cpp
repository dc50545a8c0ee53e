#include "tests/bench/common/worker.hpp"

#include <iostream>

namespace hsmtls::bench {
namespace {

void say(const json& line) {
  std::cout << line.dump() << std::endl;
}

}  // namespace

int serve(const std::function<std::unique_ptr<job>()>& make) try {
  const std::unique_ptr<job> doing = make();
  say({{"ready", true}});
  for (std::string line; std::getline(std::cin, line);) say(doing->answer(json::parse(line)));
  doing->leave();
  return 0;
} catch (const std::exception& error) {
  say({{"error", error.what()}});
  return 1;
}

}  // namespace hsmtls::bench
