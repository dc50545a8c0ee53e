#include "cli/library/identity.hpp"

#include <mutex>
#include <utility>

namespace hsmtls::cli {

struct identity::events {
  std::mutex mutex;
  std::vector<signature_event> signatures;
};

identity identity::open(access& in,
                        const std::string& uri,
                        certificates with,
                        const std::string& certificate_from) {
  identity made;
  made.events_ = std::make_shared<events>();
  in.use(uri, [&](const hsmtls_login* login) {
    hsmtls_identity_options options{};
    options.struct_size = sizeof options;
    options.key = uri.c_str();
    options.certificate = certificate_from.empty() ? nullptr : certificate_from.c_str();
    options.module = in.module();
    options.login = login;
    options.flags = with == certificates::left_out ? HSMTLS_OPEN_WITHOUT_CERTIFICATE : 0;
    options.event_user = made.events_.get();
    options.on_event = [](void* user, const hsmtls_event* event) {
      if (event->type != HSMTLS_EVENT_SIGNED) return;
      auto* const to = static_cast<events*>(user);
      const std::lock_guard lock(to->mutex);
      to->signatures.push_back({event->mechanism, event->microseconds});
    };
    hsmtls_identity* opened = nullptr;
    checked(hsmtls_identity_open, &options, &opened);
    made.handle_.reset(opened);
  });
  return made;
}

hsmtls_identity_info identity::info() const {
  hsmtls_identity_info info{};
  info.struct_size = sizeof info;
  checked(hsmtls_identity_get_info, handle_.get(), &info);
  return info;
}

hsmtls_identity_counters identity::counters() const {
  hsmtls_identity_counters counters{};
  counters.struct_size = sizeof counters;
  checked(hsmtls_identity_get_counters, handle_.get(), &counters);
  return counters;
}

std::string identity::certificate_pem() const {
  return hsmtls_identity_certificate_pem(handle_.get());
}

std::vector<signature_event> identity::take_signatures() const {
  const std::lock_guard lock(events_->mutex);
  return std::exchange(events_->signatures, {});
}

const char* mechanism_name(uint32_t mechanism) {
  switch (mechanism) {
    case HSMTLS_MECHANISM_RSA_PKCS1:
      return "CKM_RSA_PKCS";
    case HSMTLS_MECHANISM_RSA_PSS:
      return "CKM_RSA_PKCS_PSS";
    case HSMTLS_MECHANISM_RSA_RAW:
      return "CKM_RSA_X_509";
    case HSMTLS_MECHANISM_ECDSA:
      return "CKM_ECDSA";
    case HSMTLS_MECHANISM_EDDSA:
      return "CKM_EDDSA";
    default:
      return "";
  }
}

}  // namespace hsmtls::cli
