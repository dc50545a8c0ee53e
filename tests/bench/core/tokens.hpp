// The tokens that the keys are in.
#pragma once

#include "tests/bench/core/key.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::bench {

// A P-256 and an RSA 2048 key in a SoftHSM token of their own.
class softhsm_keys {
 public:
  explicit softhsm_keys(std::string vendor);
  [[nodiscard]] key_place ec() const { return place("ec", 1); }
  [[nodiscard]] key_place rsa() const { return place("rsa", 2); }

  // Each token has a configuration of its own.
  [[nodiscard]] environment with(environment extra) const;

  // `fill` makes so many more keys in the token.
  void fill(int keys) const;

 private:
  [[nodiscard]] key_place place(const char* label, CK_BYTE id) const {
    return {{vendor_, token_.label(), token_.user_pin()}, label, id};
  }

  std::string vendor_;
  test::softhsm_token token_;
};

// The keys of the stub vendor, which signs at no cost.
inline key_place stub_ec() {
  return {{HSMTLS_TEST_STUB_VENDOR, "stub-a", "1234"}, "device", 1};
}
inline key_place stub_rsa() {
  return {{HSMTLS_TEST_STUB_VENDOR, "stub-a", "1234"}, "rsa", 2};
}

}  // namespace hsmtls::bench
