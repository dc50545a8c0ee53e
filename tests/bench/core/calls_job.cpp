#include "tests/bench/core/jobs.hpp"
#include "tests/bench/core/peers.hpp"
#include "tests/support/chaos.hpp"

namespace hsmtls::bench {
namespace {

class counter : public job {
 public:
  explicit counter(const json& setup) : peers_(setup.at("kind"), key_place::from(setup)) {}

  json answer(const json& request) override {
    const auto contexts =
        peers_.contexts(request.at("role") == "client" ? HSMTLS_CLIENT : HSMTLS_SERVER,
                        version_named(request.at("version")));
    test::ssl_session session;
    const auto calls_of = [&](bool resumed) {
      const std::uint64_t before = trouble_.total();
      shake_hands(contexts, resumed, session);
      return trouble_.total() - before;
    };
    calls_of(false);  // warm from here on
    const std::uint64_t full = calls_of(false);
    return {{"full", full}, {"resumed", calls_of(true)}};
  }

 private:
  peers peers_;
  test::chaos trouble_;
};

}  // namespace

std::unique_ptr<job> make_calls_job(const json& setup) {
  return std::make_unique<counter>(setup);
}

}  // namespace hsmtls::bench
