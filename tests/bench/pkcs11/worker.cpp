#include "tests/bench/pkcs11/worker.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>

#include "core/pkcs11/base/ck.hpp"
#include "tests/bench/common/timed.hpp"
#include "tests/bench/pkcs11/pending.hpp"
#include "tests/support/chaos.hpp"

namespace hsmtls::bench {
namespace {

using steady = std::chrono::steady_clock;

std::int64_t nanoseconds(steady::time_point when) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}

class signer : public job {
 public:
  explicit signer(const worker_options& with) : where_(with.where), app_(where_, with.sessions) {
    app_.use_key(1);
    if (!with.chaos.empty()) trouble_.emplace(with.chaos);
  }

  json answer(const json& request) override {
    const std::string what = request.at("do");
    if (what == "sign") return sign(request);
    if (what == "sign_once") return sign_once();
    if (what == "sign_pending") {
      const auto made =
          sign_pending({.module = where_.module,
                        .uri = "pkcs11:token=" + where_.token + ";id=%01;type=private",
                        .pin = where_.pin,
                        .pending = request.at("pending"),
                        .how_long = std::chrono::milliseconds(request.at("ms"))});
      return {{"done", made.signatures}, {"seconds", made.seconds}};
    }
    if (what == "chaos" && trouble_) {
      trouble_->run(request.at("script"));
      return json::object();
    }
    throw std::invalid_argument("unknown request: " + request.dump());
  }

  void leave() override { app_.leave(); }

 private:
  json sign(const json& request) {
    const std::uint64_t before = trouble_ ? trouble_->total() : 0;
    json out = timed_work(request, [&](std::size_t thread) { app_.sign(thread); });
    if (trouble_) out["calls"] = trouble_->total() - before;
    return out;
  }

  json sign_once() {
    const auto began = steady::now();
    const CK_RV rv = app_.try_sign(0);
    return {{"rv", pkcs11::rv_name(rv)},
            {"began_ns", nanoseconds(began)},
            {"ended_ns", nanoseconds(steady::now())}};
  }

  token_place where_;
  application app_;
  std::optional<test::chaos> trouble_;
};

}  // namespace

json worker_options::setup() const {
  json out = where.as_json();
  out["chaos"] = chaos;
  out["sessions"] = sessions;
  return out;
}

std::unique_ptr<job> make_signer(const json& setup) {
  return std::make_unique<signer>(
      worker_options{token_place::from(setup), setup.at("chaos"), setup.at("sessions")});
}

}  // namespace hsmtls::bench
