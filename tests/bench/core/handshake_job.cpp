#include <vector>

#include "tests/bench/common/timed.hpp"
#include "tests/bench/core/jobs.hpp"
#include "tests/bench/core/peers.hpp"

namespace hsmtls::bench {
namespace {

constexpr std::size_t most_threads = 4;

class handshaker : public job {
 public:
  explicit handshaker(const json& setup)
      : peers_(setup.at("kind"), key_place::from(setup)),
        contexts_(peers_.contexts(HSMTLS_CLIENT, version_named(setup.at("version")))),
        sessions_(most_threads) {
    for (test::ssl_session& one : sessions_) shake_hands(contexts_, false, one);
  }

  json answer(const json& request) override {
    const bool resumed = request.at("resumed");
    return timed_work(request, [&](std::size_t thread) {
      shake_hands(contexts_, resumed, sessions_.at(thread));
    });
  }

 private:
  peers peers_;
  peers::pair contexts_;
  std::vector<test::ssl_session> sessions_;
};

}  // namespace

std::unique_ptr<job> make_handshake_job(const json& setup) {
  return std::make_unique<handshaker>(setup);
}

}  // namespace hsmtls::bench
