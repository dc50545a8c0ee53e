#include <stdexcept>

#include "tests/bench/core/jobs.hpp"
#include "tests/bench/core/key.hpp"
#include "tests/support/pki.hpp"

namespace hsmtls::bench {
namespace {

class preparer : public job {
 public:
  explicit preparer(const json& setup) : place_(key_place::from(setup)) {}

  json answer(const json&) override {
    const test::authority ca("Bench CA");
    const key_in_use subject = key_of("provider", place_);
    const std::string pem = test::pem_of(ca.issue(subject.key.get(), {}).get());
    const test::answer said =
        test::import_certificate({.key = place_.uri(), .pin = place_.where.pin}, pem);
    if (!said.fine()) throw std::runtime_error(said.message);
    return json::object();
  }

 private:
  key_place place_;
};

class filler : public job {
 public:
  explicit filler(const json& setup) : app_(token_place::from(setup)) {}
  json answer(const json& request) override {
    app_.make_keys(request.at("keys"));
    return json::object();
  }
  void leave() override { app_.leave(); }

 private:
  application app_;
};

}  // namespace

std::unique_ptr<job> make_prepare_job(const json& setup) {
  return std::make_unique<preparer>(setup);
}
std::unique_ptr<job> make_fill_job(const json& setup) {
  return std::make_unique<filler>(setup);
}

}  // namespace hsmtls::bench
