#include "tests/support/identities.hpp"

#include <stdexcept>

namespace hsmtls::test {
namespace {

void check(const answer& one) {
  if (!one.fine()) throw std::runtime_error(one.name() + ": " + one.message);
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

hsmtls_login login_with(const std::string& pin) {
  hsmtls_login login{};
  login.struct_size = sizeof login;
  login.pin = reinterpret_cast<const uint8_t*>(pin.data());
  login.pin_len = static_cast<uint32_t>(pin.size());
  return login;
}

hsmtls_login login_of(const identity_source& from) {
  hsmtls_login login{};
  login.struct_size = sizeof login;
  if (from.pin) login = login_with(*from.pin);
  login.pin_source = or_null(from.pin_source);
  return login;
}

}  // namespace

answer try_open(const identity_source& from, open_identity& out) {
  const hsmtls_login login = login_of(from);
  hsmtls_identity_options options{};
  options.struct_size = sizeof options;
  options.key = from.key.c_str();
  options.certificate = or_null(from.certificate);
  options.module = or_null(from.module);
  options.login = &login;
  options.require = from.require;
  options.flags = from.flags;
  options.deadline_ms = from.deadline_ms;
  options.on_event = from.on_event;
  options.event_user = from.event_user;
  options.event_release = from.event_release;
  hsmtls_identity* made = nullptr;
  const answer said = asked(hsmtls_identity_open, &options, &made);
  EXPECT_EQ(said.fine(), made != nullptr);
  out.reset(made);
  return said;
}

open_identity opened(const identity_source& from) {
  open_identity made;
  check(try_open(from, made));
  return made;
}

open_identity opened(const std::string& key,
                     const std::string& pin,
                     const std::string& certificate) {
  return opened({.key = key,
                 .pin = pin,
                 .certificate = certificate,
                 .flags = certificate.empty() ? uint32_t{HSMTLS_OPEN_WITHOUT_CERTIFICATE} : 0U});
}

evp_key handed_key(hsmtls_identity* identity, hsmtls_key_kind kind) {
  EVP_PKEY* key = nullptr;
  check(asked(hsmtls_identity_evp_pkey, identity, static_cast<uint32_t>(kind), &key));
  return evp_key(key);
}

answer import_certificate(const identity_source& into, const std::string& certificate) {
  const hsmtls_login login = login_of(into);
  return asked(hsmtls_certificate_import,
               into.key.c_str(),
               or_null(into.module),
               &login,
               reinterpret_cast<const uint8_t*>(certificate.data()),
               static_cast<uint32_t>(certificate.size()),
               static_cast<hsmtls_text**>(nullptr));
}

answer generate_key(const std::string& uri,
                    const std::string& pin,
                    hsmtls_generate_kind kind,
                    uint32_t bits) {
  const hsmtls_login login = login_with(pin);
  return asked(hsmtls_key_generate,
               uri.c_str(),
               HSMTLS_TEST_CHAOS,
               &login,
               static_cast<uint32_t>(kind),
               bits,
               static_cast<hsmtls_text**>(nullptr));
}

}  // namespace hsmtls::test
