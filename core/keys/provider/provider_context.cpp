#include "core/keys/provider/provider_context.hpp"

#include <cstdarg>

#include "core/keys/token/learned_half.hpp"
#include "core/keys/token/modules.hpp"

namespace hsmtls::keys {
namespace {

// Where the token layer's advice is not the whole of it: a configured provider has a section, too.
failure with_section(const failure& problem) {
  std::string advice;
  if (problem.code() == HSMTLS_PIN_REQUIRED) {
    advice = ", or hsmtls-pin-source in our section of openssl.cnf";
  } else if (problem.code() == HSMTLS_MODULE_UNUSABLE) {
    advice = ". In openssl.cnf, hsmtls-module in our section names it";
  }
  return {problem.code(), problem.message() + advice, problem.ckr()};
}

template <class Function>
auto advised(const Function& function) {
  try {
    return function();
  } catch (const failure& problem) {
    throw with_section(problem);
  }
}

void set_error(const provider_context& context, uint32_t reason, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  context.vset_error(context.handle, reason, format, arguments);
  va_end(arguments);
}

}  // namespace

void provider_context::raise(const failure& problem) const noexcept {
  if (new_error == nullptr || vset_error == nullptr) return;
  new_error(handle);
  set_error(*this, static_cast<uint32_t>(problem.code()), "%s", problem.what());
  errno = 0;
}

host::md provider_context::fetch_digest(const char* name, const char* properties) const {
  const host::error_mark mark;
  if (libctx != nullptr) {
    if (host::md found{host::crypto().EVP_MD_fetch(libctx, name, properties)}) return found;
  }
  return host::md(host::crypto().EVP_MD_fetch(nullptr, name, nullptr));
}

hsmtls_p11_login provider_context::login() const {
  hsmtls_p11_login made{};
  made.struct_size = sizeof made;
  if (!pin_source.empty()) made.pin_source = pin_source.c_str();
  if (!module.empty()) made.module = module.c_str();
  return made;
}

std::shared_ptr<token_key> provider_context::open_key(pkcs11::uri uri) const {
  uri.type = pkcs11::object_type::private_key;
  const hsmtls_p11_login how = login();
  return advised([&] {
    use_modules(module);
    std::shared_ptr<token_key> key = token_key::open(uri, &how, 0);
    need_public_half(*key);
    return key;
  });
}

std::vector<certificate_der> provider_context::find_certificates(const pkcs11::uri& uri) const {
  const hsmtls_p11_login how = login();
  return advised([&] {
    use_modules(module);
    return certificates_fitting(uri, &how);
  });
}

}  // namespace hsmtls::keys
