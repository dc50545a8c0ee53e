// Tokens and what is in them. All of these talk to the token and block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hsmtls/identity.hpp"

namespace hsmtls {

// Which module is asked, and as whom.
struct access {
  // The vendor's PKCS#11 file; only this one is asked. Empty: HSMTLS_MODULE, else what p11-kit has
  // registered.
  std::string module;
  hsmtls::login login;
};

struct token_info {
  std::string uri;  // fits this token; no query
  std::string label;
  std::string serial;
  std::string model;
  std::string manufacturer;
  std::string module;  // the vendor's file
  std::uint64_t slot_id = 0;
  std::uint64_t flags = 0;  // CKF_… of CK_TOKEN_INFO (PKCS#11 v3.1 section 3.2)
};

enum class object_class {
  other = HSMTLS_OBJECT_OTHER,
  certificate = HSMTLS_OBJECT_CERTIFICATE,
  private_key = HSMTLS_OBJECT_PRIVATE_KEY,
  public_key = HSMTLS_OBJECT_PUBLIC_KEY,
  secret_key = HSMTLS_OBJECT_SECRET_KEY,
  data = HSMTLS_OBJECT_DATA,
};

struct object_info {
  hsmtls::object_class object_class{};
  std::uint32_t key_type = 0;  // of key_type; 0: none, or another
  key_properties properties;   // private keys only
  std::string uri;             // names this object by its token, label, id and type; no query
  std::string label;
  std::vector<std::uint8_t> id;     // CKA_ID
  std::vector<std::uint8_t> value;  // certificates only: DER
};

enum class generate_kind {
  p256 = HSMTLS_GENERATE_P256,
  p384 = HSMTLS_GENERATE_P384,
  p521 = HSMTLS_GENERATE_P521,
  rsa = HSMTLS_GENERATE_RSA,
  ed25519 = HSMTLS_GENERATE_ED25519,
};

namespace detail {

// Collects what the C face shows one by one.
template <class Info, class From>
class collection {
 public:
  template <Info (*Convert)(const From&)>
  static std::int32_t add(void* user, const From* one) {
    auto& self = *static_cast<collection*>(user);
    return self.held_.hold(std::int32_t{1}, [&] {
      self.all_.push_back(Convert(*one));
      return std::int32_t{0};
    });
  }
  std::vector<Info> take() {
    held_.rethrow();
    return std::move(all_);
  }

 private:
  std::vector<Info> all_;
  held_exception held_;
};

inline token_info token_of(const hsmtls_token_info& from) {
  token_info made;
  made.uri = from.uri;
  made.label = from.label;
  made.serial = from.serial;
  made.model = from.model;
  made.manufacturer = from.manufacturer;
  made.module = from.module;
  made.slot_id = from.slot_id;
  made.flags = from.flags;
  return made;
}

inline object_info object_of(const hsmtls_object_info& from) {
  object_info made;
  made.object_class = static_cast<object_class>(from.object_class);
  made.key_type = from.key_type;
  made.properties = properties_of(from.key_flags);
  made.uri = from.uri;
  made.label = from.label;
  if (from.id != nullptr) made.id.assign(from.id, from.id + from.id_len);
  if (from.value != nullptr) made.value.assign(from.value, from.value + from.value_len);
  return made;
}

// `text_by` returns the text that a call of the C face writes to its last but one argument.
template <class Call>
std::string text_by(diagnostics& problem, Call&& call) {
  hsmtls_text* made = nullptr;
  problem = call(&made);
  return text(made);
}

}  // namespace detail

// `list_tokens` returns every slot that has a token, initialised or not.
inline std::vector<token_info> list_tokens(const std::string& module, diagnostics& problem) {
  using found = detail::collection<token_info, hsmtls_token_info>;
  found all;
  problem = detail::call(&hsmtls_tokens_list,
                         detail::given(module),
                         &found::add<&detail::token_of>,
                         static_cast<void*>(&all));
  return all.take();
}
inline std::vector<token_info> list_tokens(const std::string& module = {}) {
  return detail::thrown_by([&](diagnostics& problem) { return list_tokens(module, problem); });
}

// `list_objects` returns what `uri` fits in the one token that it fits; private objects only with a
// PIN.
inline std::vector<object_info> list_objects(const std::string& uri,
                                             const access& how,
                                             diagnostics& problem) {
  using found = detail::collection<object_info, hsmtls_object_info>;
  const detail::c_login login(how.login);
  found all;
  problem = detail::call(&hsmtls_objects_list,
                         uri.c_str(),
                         detail::given(how.module),
                         login.get(),
                         &found::add<&detail::object_of>,
                         static_cast<void*>(&all));
  login.rethrow();
  return all.take();
}
inline std::vector<object_info> list_objects(const std::string& uri, const access& how = {}) {
  return detail::thrown_by([&](diagnostics& problem) { return list_objects(uri, how, problem); });
}

// `generate_key` makes a key pair in the one token that `uri` fits, with the URI's object and id
// (none: 20 random bytes): sensitive, never extractable, for signing. `bits`: RSA only, 2048 to 4096,
// a multiple of 8. Returns a URI that fits the new key alone.
inline std::string generate_key(const std::string& uri,
                                generate_kind kind,
                                std::uint32_t bits,
                                const access& how,
                                diagnostics& problem) {
  const detail::c_login login(how.login);
  std::string made = detail::text_by(problem, [&](hsmtls_text** out) {
    return detail::call(&hsmtls_key_generate,
                        uri.c_str(),
                        detail::given(how.module),
                        login.get(),
                        static_cast<std::uint32_t>(kind),
                        bits,
                        out);
  });
  login.rethrow();
  return made;
}
inline std::string generate_key(const std::string& uri,
                                generate_kind kind,
                                std::uint32_t bits = 0,
                                const access& how = {}) {
  return detail::thrown_by(
      [&](diagnostics& problem) { return generate_key(uri, kind, bits, how, problem); });
}

// `import_certificate` stores a certificate (PEM text, or DER) in the one token that `uri` fits, with
// the URI's object and id. A URI that fits exactly one private key there whose public half is the
// certificate's lends it its object and id. The same one again is a success. Returns a URI that names
// the certificate.
inline std::string import_certificate(const std::string& uri,
                                      const std::string& certificate,
                                      const access& how,
                                      diagnostics& problem) {
  if (!detail::has_openssl(problem)) return {};
  const detail::c_login login(how.login);
  std::string made = detail::text_by(problem, [&](hsmtls_text** out) {
    return detail::call(&hsmtls_certificate_import,
                        uri.c_str(),
                        detail::given(how.module),
                        login.get(),
                        detail::bytes(certificate),
                        detail::length(certificate.size()),
                        out);
  });
  login.rethrow();
  return made;
}
inline std::string import_certificate(const std::string& uri,
                                      const std::string& certificate,
                                      const access& how = {}) {
  return detail::thrown_by(
      [&](diagnostics& problem) { return import_certificate(uri, certificate, how, problem); });
}

// `remove_object` destroys the one object that `uri` fits; `type` must be in the URI.
inline void remove_object(const std::string& uri, const access& how, diagnostics& problem) {
  const detail::c_login login(how.login);
  problem =
      detail::call(&hsmtls_object_remove, uri.c_str(), detail::given(how.module), login.get());
  login.rethrow();
}
inline void remove_object(const std::string& uri, const access& how = {}) {
  detail::thrown_by([&](diagnostics& problem) { remove_object(uri, how, problem); });
}

// `init_token` erases the token that `uri` fits (one that is not initialised: by slot-id) and sets its
// label (1 to 32 bytes) and both PINs. errc::in_use while anybody in this process has it open.
inline void init_token(const std::string& uri,
                       const std::string& label,
                       const std::string& so_pin,
                       const std::string& user_pin,
                       const std::string& module,
                       diagnostics& problem) {
  problem = detail::call(&hsmtls_token_init,
                         uri.c_str(),
                         detail::given(module),
                         label.c_str(),
                         detail::bytes(so_pin),
                         detail::length(so_pin.size()),
                         detail::bytes(user_pin),
                         detail::length(user_pin.size()));
}
inline void init_token(const std::string& uri,
                       const std::string& label,
                       const std::string& so_pin,
                       const std::string& user_pin,
                       const std::string& module = {}) {
  detail::thrown_by(
      [&](diagnostics& problem) { init_token(uri, label, so_pin, user_pin, module, problem); });
}

// `change_pin` changes the user PIN. Identities that are open go on.
inline void change_pin(const std::string& uri,
                       const std::string& old_pin,
                       const std::string& new_pin,
                       const std::string& module,
                       diagnostics& problem) {
  problem = detail::call(&hsmtls_token_change_pin,
                         uri.c_str(),
                         detail::given(module),
                         detail::bytes(old_pin),
                         detail::length(old_pin.size()),
                         detail::bytes(new_pin),
                         detail::length(new_pin.size()));
}
inline void change_pin(const std::string& uri,
                       const std::string& old_pin,
                       const std::string& new_pin,
                       const std::string& module = {}) {
  detail::thrown_by(
      [&](diagnostics& problem) { change_pin(uri, old_pin, new_pin, module, problem); });
}

}  // namespace hsmtls
