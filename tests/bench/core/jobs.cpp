#include "tests/bench/core/jobs.hpp"

#include <map>
#include <stdexcept>

namespace hsmtls::bench {

std::unique_ptr<job> make_job(const json& setup) {
  using maker = std::unique_ptr<job> (*)(const json&);
  static const std::map<std::string, maker> makers{{"sign", make_sign_job},
                                                   {"handshake", make_handshake_job},
                                                   {"calls", make_calls_job},
                                                   {"open", make_open_job},
                                                   {"prepare", make_prepare_job},
                                                   {"fill", make_fill_job},
                                                   {"memory", make_memory_job}};
  const auto found = makers.find(setup.at("job"));
  if (found == makers.end()) throw std::invalid_argument("unknown job: " + setup.dump());
  return found->second(setup);
}

}  // namespace hsmtls::bench
