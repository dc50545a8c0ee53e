// The view of a key that the private face has open.
#pragma once

#include <memory>

#include "core/pkcs11/private/key.hpp"
#include "core/pkcs11/runtime/view.hpp"

namespace hsmtls::pkcs11 {

class scoped_view final : public view {
 public:
  // Throws failure. Does not keep the key: that is for who closes the view, also in a forked child,
  // where the parent's sessions on it are left behind.
  scoped_view(const std::shared_ptr<key>& of, time_point until);

  CK_RV bind(time_point until, token*& out) override;
  CK_RV keep_login(time_point until) override;
  [[nodiscard]] bool shows(const object_recipe& one) const override;
  void narrow(std::vector<CK_ATTRIBUTE>& pattern) const override;
  [[nodiscard]] const std::optional<public_half>& known_public_half() const override {
    return public_half_;
  }
  [[nodiscard]] bool wants_login_each_time() const override { return authenticate_; }

 private:
  scoped_view(const std::shared_ptr<key>& of, const object& what);
  // Runs use(key&).
  template <class Use>
  CK_RV with_key(Use&& use);

  const object_recipe recipe_;
  const std::optional<public_half> public_half_;
  const bool authenticate_;
  const std::weak_ptr<key> key_;
};

}  // namespace hsmtls::pkcs11
