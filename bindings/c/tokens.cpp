// Tokens and what is in them: each function is one of the token layer's.
#include <exception>
#include <optional>
#include <vector>

#include "bindings/c/guard.hpp"
#include "bindings/c/handles.hpp"
#include "bindings/c/login.hpp"
#include "core/keys/administration/tokens.hpp"
#include "core/keys/identity/certificates.hpp"

using namespace hsmtls;
using namespace hsmtls::c;

int32_t hsmtls_tokens_list(const char* module,
                           hsmtls_token_fn each,
                           void* user,
                           hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(each, "each");
    const login how(nullptr, module);
    for (const keys::token_description& one : keys::list_tokens(text(module))) {
      hsmtls_token_info info{};
      info.struct_size = sizeof info;
      info.uri = one.uri.c_str();
      info.label = one.label.c_str();
      info.serial = one.serial.c_str();
      info.model = one.model.c_str();
      info.manufacturer = one.manufacturer.c_str();
      info.module = one.module.c_str();
      info.slot_id = one.slot_id;
      info.flags = one.flags;
      if (each(user, &info) != 0) return;
    }
  });
}

int32_t hsmtls_objects_list(const char* uri,
                            const char* module,
                            const hsmtls_login* login_options,
                            hsmtls_object_fn each,
                            void* user,
                            hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(each, "each");
    needed(uri, "uri");
    const login how(login_options, module);
    for (const keys::object_description& one : keys::list_objects(uri, how.get())) {
      hsmtls_object_info info{};
      info.struct_size = sizeof info;
      info.object_class = one.object_class;
      info.key_type = one.key_type;
      info.key_flags = one.flags;
      info.uri = one.uri.c_str();
      info.label = one.label.c_str();
      info.id = one.id.data();
      info.id_len = static_cast<uint32_t>(one.id.size());
      info.value = one.value.empty() ? nullptr : one.value.data();
      info.value_len = static_cast<uint32_t>(one.value.size());
      if (each(user, &info) != 0) return;
    }
  });
}

int32_t hsmtls_key_generate(const char* uri,
                            const char* module,
                            const hsmtls_login* login_options,
                            uint32_t kind,
                            uint32_t bits,
                            hsmtls_text** out_uri,
                            hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(uri, "uri");
    const login how(login_options, module);
    std::string made = keys::generate_key(uri, kind, bits, how.get());
    if (out_uri != nullptr) *out_uri = new hsmtls_text{std::move(made)};
  });
}

int32_t hsmtls_certificate_import(const char* uri,
                                  const char* module,
                                  const hsmtls_login* login_options,
                                  const uint8_t* certificate,
                                  uint32_t certificate_len,
                                  hsmtls_text** out_uri,
                                  hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(uri, "uri");
    const std::span<const uint8_t> given(&needed(certificate, "certificate"), certificate_len);
    host::need_crypto();
    const login how(login_options, module);
    std::string made = keys::import_certificate(uri, given, how.get());
    if (out_uri != nullptr) *out_uri = new hsmtls_text{std::move(made)};
  });
}

int32_t hsmtls_object_remove(const char* uri,
                             const char* module,
                             const hsmtls_login* login_options,
                             hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(uri, "uri");
    const login how(login_options, module);
    keys::remove_object(uri, how.get());
  });
}

int32_t hsmtls_token_init(const char* uri,
                          const char* module,
                          const char* label,
                          const uint8_t* so_pin,
                          uint32_t so_pin_len,
                          const uint8_t* user_pin,
                          uint32_t user_pin_len,
                          hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(uri, "uri");
    needed(label, "label");
    const std::span<const uint8_t> so = bytes(so_pin, so_pin_len, "so_pin");
    const std::span<const uint8_t> user = bytes(user_pin, user_pin_len, "user_pin");
    const login how(nullptr, module);
    keys::initialise_token(uri, text(module), label, so, user);
  });
}

int32_t hsmtls_token_change_pin(const char* uri,
                                const char* module,
                                const uint8_t* old_pin,
                                uint32_t old_pin_len,
                                const uint8_t* new_pin,
                                uint32_t new_pin_len,
                                hsmtls_error** out_error) {
  return guard(out_error, [&] {
    needed(uri, "uri");
    const std::span<const uint8_t> before = bytes(old_pin, old_pin_len, "old_pin");
    const std::span<const uint8_t> after = bytes(new_pin, new_pin_len, "new_pin");
    const login how(nullptr, module);
    keys::change_pin(uri, text(module), before, after);
  });
}
