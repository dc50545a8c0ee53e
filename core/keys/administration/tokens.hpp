// What is done to tokens and to what is in them. All talk to the token; all throw failure. A URI that may
// hold a PIN is the caller's text, and copied nowhere that is not wiped.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::keys {

struct token_description {
  std::string uri, label, serial, model, manufacturer, module;
  uint64_t slot_id;
  uint64_t flags;  // CKF_…
};

struct object_description {
  uint32_t object_class;  // hsmtls_object_class
  uint32_t key_type;      // hsmtls_key_type; 0: none, or another
  uint32_t flags;         // HSMTLS_KEY_…
  std::string uri, label;
  std::vector<uint8_t> id;
  std::vector<uint8_t> value;  // certificates: DER
};

// `list_tokens` returns what is in every slot of `module`; of all modules where that is empty.
std::vector<token_description> list_tokens(const std::string& module);

std::vector<object_description> list_objects(const char* uri, const hsmtls_p11_login* login);

// `generate_key` returns the URI of the new key.
std::string generate_key(const char* uri,
                         uint32_t kind,
                         uint32_t bits,
                         const hsmtls_p11_login* login);

// `import_certificate` stores PEM or DER and returns the URI of the certificate. Where `uri` fits one
// private key, the certificate must be for it, and gets its label and id.
std::string import_certificate(std::string_view uri,
                               std::span<const uint8_t> certificate,
                               const hsmtls_p11_login* login);

void remove_object(const char* uri, const hsmtls_p11_login* login);

// `module`: where to look for the token that `uri` fits; empty: everywhere.
void initialise_token(const std::string& uri,
                      const std::string& module,
                      const std::string& label,
                      std::span<const uint8_t> so_pin,
                      std::span<const uint8_t> user_pin);
void change_pin(const std::string& uri,
                const std::string& module,
                std::span<const uint8_t> old_pin,
                std::span<const uint8_t> new_pin);

}  // namespace hsmtls::keys
