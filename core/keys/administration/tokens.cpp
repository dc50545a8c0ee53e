#include "core/keys/administration/tokens.hpp"

#include <filesystem>

#include "core/keys/identity/certificates.hpp"
#include "core/keys/token/face.hpp"
#include "core/keys/token/learned_half.hpp"
#include "core/keys/token/token_key.hpp"
#include "core/keys/token/uri_text.hpp"
#include "core/keys/uris.hpp"
#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/uri/uri.hpp"
#include "hsmtls/hsmtls.h"

namespace hsmtls::keys {
namespace {

using host::crypto;

std::string text_of(const char* value) {
  return value != nullptr ? value : "";
}

uint32_t class_number(uint64_t object_class) {
  switch (object_class) {
    case CKO_CERTIFICATE:
      return HSMTLS_OBJECT_CERTIFICATE;
    case CKO_PRIVATE_KEY:
      return HSMTLS_OBJECT_PRIVATE_KEY;
    case CKO_PUBLIC_KEY:
      return HSMTLS_OBJECT_PUBLIC_KEY;
    case CKO_SECRET_KEY:
      return HSMTLS_OBJECT_SECRET_KEY;
    case CKO_DATA:
      return HSMTLS_OBJECT_DATA;
    default:
      return HSMTLS_OBJECT_OTHER;
  }
}

uint32_t type_number(uint64_t key_type) {
  switch (key_type) {
    case CKK_RSA:
      return HSMTLS_KEY_RSA;
    case CKK_EC:
      return HSMTLS_KEY_EC;
    case CKK_EC_EDWARDS:
      return HSMTLS_KEY_ED25519;
    default:
      return 0;
  }
}

bool same_file(const std::string& one, const std::string& other) {
  std::error_code ignored;
  return one == other || std::filesystem::equivalent(one, other, ignored);
}

// The token layer takes no module where it takes no login; the slot says which one is meant.
std::string within(const std::string& uri_text, const std::string& module) {
  if (module.empty()) return uri_text;
  pkcs11::uri uri = parsed(uri_text);
  if (uri.slot_id) return uri_text;
  for (const token_description& one : list_tokens(module)) {
    if (selects_token(uri, parsed(one.uri))) {
      if (uri.slot_id) return uri_text;  // several: let the token layer say so
      uri.slot_id = one.slot_id;
    }
  }
  return pkcs11::build_uri(uri);
}

std::vector<uint8_t> der_name(const X509_NAME* name) {
  uint8_t* out = nullptr;
  const int length = crypto().i2d_X509_NAME(name, &out);
  const host::openssl_memory<uint8_t> owner(out);
  return {out, out + std::max(length, 0)};
}

host::x509 read_one(std::span<const uint8_t> given) {
  constexpr const char* from = "what was given as certificate";
  std::vector<host::x509> found =
      read_certificates({reinterpret_cast<const char*>(given.data()), given.size()}, from);
  if (found.size() != 1) {
    throw failure(HSMTLS_CERTIFICATE_MALFORMED,
                  std::string(from) +
                      (found.empty() ? " is neither PEM nor DER of a certificate"
                                     : " holds several certificates: import them one by one"));
  }
  return std::move(found.front());
}

// The label and id of the key that the certificate is for, if the URI fits one.
void name_after_key(pkcs11::uri& uri,
                    const host::x509& certificate,
                    const hsmtls_p11_login* login) {
  pkcs11::uri wanted = uri;
  wanted.type = pkcs11::object_type::private_key;
  std::shared_ptr<token_key> key;
  try {
    key = token_key::open(wanted, login, 0);
  } catch (const failure& problem) {
    if (problem.code() == HSMTLS_KEY_NOT_FOUND || problem.code() == HSMTLS_AMBIGUOUS) return;
    throw;
  }
  learn_public_half(*key, {&certificate, 1});
  if (!certifies(certificate.get(), key->public_half())) {
    throw failure(
        HSMTLS_CERTIFICATE_MISMATCH,
        "the certificate " + name_of(certificate.get()) + " is not for the key " + key->uri() +
            ". To store it beside the key all the same, give it a label of its own (object=…)");
  }
  const pkcs11::uri own = parsed(key->uri());
  if (!uri.object) uri.object = own.object;
  if (!uri.id) uri.id = own.id;
}

}  // namespace

std::vector<token_description> list_tokens(const std::string& module) {
  std::vector<token_description> all;
  checked(
      face().list_tokens,
      [](void* user, const hsmtls_p11_token_info* one) {
        static_cast<std::vector<token_description>*>(user)->push_back({text_of(one->uri),
                                                                       text_of(one->label),
                                                                       text_of(one->serial),
                                                                       text_of(one->model),
                                                                       text_of(one->manufacturer),
                                                                       text_of(one->module),
                                                                       one->slot_id,
                                                                       one->flags});
      },
      static_cast<void*>(&all));
  if (!module.empty()) {
    std::erase_if(all,
                  [&](const token_description& one) { return !same_file(one.module, module); });
  }
  return all;
}

std::vector<object_description> list_objects(const char* uri, const hsmtls_p11_login* login) {
  std::vector<object_description> all;
  checked(
      face().list_objects,
      uri,
      login,
      [](void* user, const hsmtls_p11_object_info* one) {
        object_description made{class_number(one->object_class),
                                type_number(one->key_type),
                                one->flags,
                                text_of(one->uri),
                                text_of(one->label),
                                {},
                                {}};
        if (one->id != nullptr) made.id.assign(one->id, one->id + one->id_len);
        if (one->value != nullptr) made.value.assign(one->value, one->value + one->value_len);
        static_cast<std::vector<object_description>*>(user)->push_back(std::move(made));
      },
      static_cast<void*>(&all));
  return all;
}

std::string generate_key(const char* uri,
                         uint32_t kind,
                         uint32_t bits,
                         const hsmtls_p11_login* login) {
  hsmtls_p11_key* made = nullptr;
  checked(face().key_generate, uri, kind, bits, login, &made);
  hsmtls_p11_key_info info{};
  info.struct_size = sizeof info;
  face().key_info(made, &info);
  std::string own = info.uri;
  face().key_release(made);
  return own;
}

std::string import_certificate(std::string_view uri_given,
                               std::span<const uint8_t> certificate,
                               const hsmtls_p11_login* login) {
  const host::x509 read = read_one(certificate);
  pkcs11::uri uri = parsed(uri_given);
  if (!uri.object || !uri.id) name_after_key(uri, read, login);
  uri.type = pkcs11::object_type::certificate;

  const host::error_mark mark;
  uint8_t* value = nullptr;
  const int value_len = crypto().i2d_X509(read.get(), &value);
  const host::openssl_memory<uint8_t> value_owner(value);
  uint8_t* serial = nullptr;
  const int serial_len =
      crypto().i2d_ASN1_INTEGER(crypto().X509_get0_serialNumber(read.get()), &serial);
  const host::openssl_memory<uint8_t> serial_owner(serial);
  if (value_len <= 0 || serial_len <= 0)
    throw failure(HSMTLS_NO_MEMORY, "no memory for a certificate");
  const std::vector<uint8_t> subject = der_name(crypto().X509_get_subject_name(read.get()));
  const std::vector<uint8_t> issuer = der_name(crypto().X509_get_issuer_name(read.get()));
  const hsmtls_p11_certificate parts{value,
                                     static_cast<uint32_t>(value_len),
                                     subject.data(),
                                     static_cast<uint32_t>(subject.size()),
                                     issuer.data(),
                                     static_cast<uint32_t>(issuer.size()),
                                     serial,
                                     static_cast<uint32_t>(serial_len)};
  const uri_text text(uri);
  checked(face().certificate_import, text.c_str(), &parts, login);
  uri.pin_source.reset();
  uri.pin_value.reset();
  return pkcs11::build_uri(uri);
}

void remove_object(const char* uri, const hsmtls_p11_login* login) {
  checked(face().object_remove, uri, login);
}

void initialise_token(const std::string& uri,
                      const std::string& module,
                      const std::string& label,
                      std::span<const uint8_t> so_pin,
                      std::span<const uint8_t> user_pin) {
  const std::string text = within(uri, module);
  checked(face().token_initialise,
          text.c_str(),
          label.c_str(),
          so_pin.data(),
          static_cast<uint32_t>(so_pin.size()),
          user_pin.data(),
          static_cast<uint32_t>(user_pin.size()));
}

void change_pin(const std::string& uri,
                const std::string& module,
                std::span<const uint8_t> old_pin,
                std::span<const uint8_t> new_pin) {
  const std::string text = within(uri, module);
  checked(face().token_change_pin,
          text.c_str(),
          old_pin.data(),
          static_cast<uint32_t>(old_pin.size()),
          new_pin.data(),
          static_cast<uint32_t>(new_pin.size()));
}

}  // namespace hsmtls::keys
