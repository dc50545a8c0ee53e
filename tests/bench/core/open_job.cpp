#include <chrono>
#include <optional>
#include <vector>

#include "tests/bench/core/jobs.hpp"
#include "tests/bench/core/key.hpp"
#include "tests/support/chaos.hpp"

namespace hsmtls::bench {
namespace {

using steady = std::chrono::steady_clock;

class opener : public job {
 public:
  explicit opener(const json& setup) : kind_(setup.at("kind")), place_(key_place::from(setup)) {
    if (setup.value("counted", false)) trouble_.emplace();
  }

  json answer(const json&) override {
    const std::uint64_t before = trouble_ ? trouble_->total() : 0;
    const auto began = steady::now();
    open();
    const std::chrono::duration<double, std::milli> took = steady::now() - began;
    json out = {{"ms", took.count()}};
    if (trouble_) out["calls"] = trouble_->total() - before;
    return out;
  }

  void leave() override {
    if (lister_) lister_->leave();
  }

 private:
  void open() {
    if (kind_ == "list") {
      if (!lister_) lister_.emplace(place_.where);
      lister_->list_keys();
    } else if (kind_ == "certificate") {
      open_.push_back({.identity = open_with_certificate(place_)});
    } else {
      open_.push_back(key_of(kind_, place_));
    }
  }

  std::string kind_;
  key_place place_;
  std::optional<test::chaos> trouble_;
  std::optional<application> lister_;
  std::vector<key_in_use> open_;
};

}  // namespace

std::unique_ptr<job> make_open_job(const json& setup) {
  return std::make_unique<opener>(setup);
}

}  // namespace hsmtls::bench
