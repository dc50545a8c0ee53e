#include "bindings/c/login.hpp"

#include "core/keys/token/modules.hpp"

namespace hsmtls::c {

login::login(const hsmtls_login* from, const char* module) {
  made_.struct_size = sizeof made_;
  if (from != nullptr) {
    const hsmtls_login given = known(*from, "login");
    made_.pin_len = given.pin_len;
    made_.pin = bytes(given.pin, given.pin_len, "login.pin").data();
    made_.pin_callback = given.pin_fn;
    made_.pin_user = given.pin_user;
    made_.pin_source = given.pin_source;
    made_.forget_pin = given.forget_pin;
    made_.insist = given.insist;
  }
  if (module != nullptr && *module != '\0') made_.module = module;
  keys::use_modules(text(module));
}

}  // namespace hsmtls::c
