#include "cli/library/tokens.hpp"

#include "cli/library/uri.hpp"
#include "core/pkcs11/uri/uri_match.hpp"

namespace hsmtls::cli {

std::string token::trouble() const {
  if (!has(token_flag::initialised)) return "not initialised";
  if (has(token_flag::pin_locked)) return "PIN locked";
  if (has(token_flag::pin_final_try)) return "PIN on its last try";
  if (has(token_flag::pin_to_be_changed)) return "PIN must be changed";
  if (!has(token_flag::pin_set)) return "no user PIN set";
  if (has(token_flag::pin_count_low)) return "a wrong PIN was tried";
  return "";
}

std::vector<token> list_tokens(const char* module) {
  std::vector<token> all;
  const auto each = [](void* user, const hsmtls_token_info* one) -> int32_t {
    static_cast<std::vector<token>*>(user)->push_back({one->uri,
                                                       one->label,
                                                       one->serial,
                                                       one->model,
                                                       one->manufacturer,
                                                       one->module,
                                                       one->slot_id,
                                                       one->flags});
    return 0;
  };
  checked(hsmtls_tokens_list, module, +each, static_cast<void*>(&all));
  return all;
}

std::vector<token> tokens_that_fit(const char* module, const std::string& uri) {
  const pkcs11::uri wanted = parsed(path_of(uri));
  std::vector<token> all = list_tokens(module);
  std::erase_if(all, [&](const token& one) {
    const bool may_be_meant = one.has(token_flag::initialised) || wanted.slot_id;
    return !may_be_meant ||
           !pkcs11::matches_token(
               wanted, {one.label, one.serial, one.model, one.manufacturer, one.slot_id});
  });
  return all;
}

void demand_token(const char* module, const std::string& uri) {
  hsmtls_login without{};
  without.struct_size = sizeof without;
  without.pin_fn = [](void*, const char*, uint8_t*, uint32_t) -> int32_t { return -1; };
  try {
    checked(
        hsmtls_objects_list,
        path_of(uri).c_str(),
        module,
        &without,
        +[](void*, const hsmtls_object_info*) -> int32_t { return 0; },
        nullptr);
  } catch (const problem& why) {
    if (why.code() != HSMTLS_PIN_REQUIRED) throw;  // there it is, and wants one
  }
}

const char* object::class_name() const {
  switch (object_class) {
    case HSMTLS_OBJECT_CERTIFICATE:
      return "certificate";
    case HSMTLS_OBJECT_PRIVATE_KEY:
      return "private key";
    case HSMTLS_OBJECT_PUBLIC_KEY:
      return "public key";
    case HSMTLS_OBJECT_SECRET_KEY:
      return "secret key";
    case HSMTLS_OBJECT_DATA:
      return "data";
    default:
      return "other";
  }
}

const char* object::type_name() const {
  switch (key_type) {
    case HSMTLS_KEY_RSA:
      return "RSA";
    case HSMTLS_KEY_EC:
      return "EC";
    case HSMTLS_KEY_ED25519:
      return "Ed25519";
    default:
      return "";
  }
}

std::vector<object> list_objects(access& in, const std::string& uri, shown what) {
  const auto list = [&](const hsmtls_login* login) {
    std::vector<object> all;
    const auto each = [](void* user, const hsmtls_object_info* one) -> int32_t {
      object made{one->object_class, one->key_type, one->key_flags, one->uri, one->label, {}, {}};
      if (one->id_len > 0) made.id.assign(reinterpret_cast<const char*>(one->id), one->id_len);
      if (one->value != nullptr) made.value.assign(one->value, one->value + one->value_len);
      static_cast<std::vector<object>*>(user)->push_back(std::move(made));
      return 0;
    };
    checked(hsmtls_objects_list, uri.c_str(), in.module(), login, +each, static_cast<void*>(&all));
    return all;
  };
  return what == shown::all ? in.use(uri, list) : list(nullptr);
}

}  // namespace hsmtls::cli
