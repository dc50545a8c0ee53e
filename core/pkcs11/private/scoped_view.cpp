#include "core/pkcs11/private/scoped_view.hpp"

#include <algorithm>

#include "core/pkcs11/base/log.hpp"

namespace hsmtls::pkcs11 {
namespace {

// What a call in a session of the view answers where the key is not to be had.
CK_RV in_a_view(hsmtls_p11_code code) {
  switch (code) {
    case HSMTLS_P11_PIN_REQUIRED:
    case HSMTLS_P11_PIN_INCORRECT:
    case HSMTLS_P11_PIN_LOCKED:
    case HSMTLS_P11_PIN_SOURCE:
    case HSMTLS_P11_NOT_LOGGED_IN:
      return CKR_USER_NOT_LOGGED_IN;
    case HSMTLS_P11_NO_MEMORY:
      return CKR_HOST_MEMORY;
    default:
      return CKR_DEVICE_REMOVED;
  }
}

}  // namespace

scoped_view::scoped_view(const std::shared_ptr<key>& of, time_point until)
    : scoped_view(of, *of->bound(until).what) {}

scoped_view::scoped_view(const std::shared_ptr<key>& of, const object& what)
    : recipe_(what.recipe()),
      public_half_(what.known_public_half()),
      authenticate_((of->description().flags & HSMTLS_P11_ALWAYS_AUTHENTICATE) != 0),
      key_(of) {}

template <class Use>
CK_RV scoped_view::with_key(Use&& use) {
  const auto of = key_.lock();
  if (of == nullptr) return CKR_DEVICE_REMOVED;
  try {
    use(*of);
    return CKR_OK;
  } catch (const failure& why) {
    log::event(log::level::error, "view", "problem", why.what());
    return in_a_view(why.code());
  }
}

CK_RV scoped_view::bind(time_point until, token*& out) {
  return with_key([&](key& of) { out = of.bound(until).where.behind; });
}

CK_RV scoped_view::keep_login(time_point until) {
  return with_key([&](key& of) { of.keep_login(until); });
}

bool scoped_view::shows(const object_recipe& one) const {
  switch (one.object_class) {
    case CKO_PRIVATE_KEY:
      return one == recipe_;
    case CKO_PUBLIC_KEY:
      if (one.key_type != recipe_.key_type) return false;
      break;
    case CKO_CERTIFICATE:
      break;
    default:
      return false;
  }
  if (!recipe_.id.empty()) return one.id == recipe_.id;
  // Without an id the label is all that they can have in common.
  return one.id.empty() && !recipe_.label.empty() && one.label == recipe_.label;
}

void scoped_view::narrow(std::vector<CK_ATTRIBUTE>& pattern) const {
  const auto add = [&](CK_ATTRIBUTE_TYPE type, const bytes& value) {
    const bool said = std::any_of(
        pattern.begin(), pattern.end(), [&](const CK_ATTRIBUTE& one) { return one.type == type; });
    // A search does not write there.
    if (!said) pattern.push_back({type, const_cast<uint8_t*>(value.data()), value.size()});
  };
  if (!recipe_.id.empty()) {
    add(CKA_ID, recipe_.id);
  } else if (!recipe_.label.empty()) {
    add(CKA_LABEL, recipe_.label);
  }
}

}  // namespace hsmtls::pkcs11
