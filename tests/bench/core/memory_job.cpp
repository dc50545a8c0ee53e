#include <malloc.h>

#include <functional>
#include <vector>

#include "tests/bench/core/jobs.hpp"
#include "tests/bench/core/key.hpp"
#include "tests/support/pki.hpp"

namespace hsmtls::bench {
namespace {

// Bytes in use, by the allocator's own count, for each of so many things that `make` makes.
template <class Make>
double bytes_of_each(std::size_t count, Make&& make) {
  using thing = decltype(make());
  std::vector<thing> kept;
  kept.reserve(count + 1);
  kept.push_back(make());  // what is made once
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < count; ++i) kept.push_back(make());
  return (static_cast<double>(mallinfo2().uordblks) - static_cast<double>(before)) /
         static_cast<double>(count);
}

class weigher : public job {
 public:
  explicit weigher(const json& setup)
      : place_(key_place::from(setup)),
        subject_(key_of("provider", place_)),
        certificate_(
            test::pem_of(test::authority("Bench CA").issue(subject_.key.get(), {}).get())) {}

  json answer(const json& request) override {
    return {{"bytes", weigh(request.at("what"), request.at("count"))}};
  }

 private:
  double weigh(const std::string& what, std::size_t count) const {
    if (what == "identities") {
      return bytes_of_each(
          count, [&] { return test::opened(place_.uri(), place_.where.pin, certificate_); });
    }
    if (what == "software") return bytes_of_each(count, [] { return test::software_key(); });
    return bytes_of_each(count, [&] {
      return test::handed_key(subject_.identity.get(),
                              what == "hybrid" ? HSMTLS_KEY_HYBRID : HSMTLS_KEY_PROVIDER);
    });
  }

  key_place place_;
  key_in_use subject_;
  std::string certificate_;
};

}  // namespace

std::unique_ptr<job> make_memory_job(const json& setup) {
  return std::make_unique<weigher>(setup);
}

}  // namespace hsmtls::bench
