// The names of RFC 7512 section 2.3, said once for parsing, writing and matching.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::pkcs11 {

// `text_attribute` is an attribute of the path whose value is text. `max_bytes` is the size of the
// field it is compared with: PKCS#11 has no room for more.
struct text_attribute {
  std::string_view name;
  std::string_view family;  // which of token, slot, library or object it describes
  std::optional<std::string> uri::*member;
  std::size_t max_bytes;
};

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

inline constexpr std::array<text_attribute, 9> text_attributes = {{
    {"token", "token", &uri::token, sizeof(CK_TOKEN_INFO::label)},
    {"serial", "token", &uri::serial, sizeof(CK_TOKEN_INFO::serialNumber)},
    {"manufacturer", "token", &uri::manufacturer, sizeof(CK_TOKEN_INFO::manufacturerID)},
    {"model", "token", &uri::model, sizeof(CK_TOKEN_INFO::model)},
    {"slot-description", "slot", &uri::slot_description, sizeof(CK_SLOT_INFO::slotDescription)},
    {"slot-manufacturer", "slot", &uri::slot_manufacturer, sizeof(CK_SLOT_INFO::manufacturerID)},
    {"library-description",
     "library",
     &uri::library_description,
     sizeof(CK_INFO::libraryDescription)},
    {"library-manufacturer",
     "library",
     &uri::library_manufacturer,
     sizeof(CK_INFO::manufacturerID)},
    {"object", "object", &uri::object, no_limit},
}};

inline constexpr std::array<std::string_view, 13> path_names = {"token",
                                                                "serial",
                                                                "manufacturer",
                                                                "model",
                                                                "slot-id",
                                                                "slot-description",
                                                                "object",
                                                                "slot-manufacturer",
                                                                "library-description",
                                                                "library-manufacturer",
                                                                "library-version",
                                                                "id",
                                                                "type"};

inline constexpr std::array<std::string_view, 4> query_names = {
    "pin-source", "pin-value", "module-name", "module-path"};

struct type_entry {
  std::string_view name;
  object_type type;
  CK_OBJECT_CLASS object_class;
};

inline constexpr std::array<type_entry, 5> types = {{
    {"cert", object_type::certificate, CKO_CERTIFICATE},
    {"data", object_type::data, CKO_DATA},
    {"private", object_type::private_key, CKO_PRIVATE_KEY},
    {"public", object_type::public_key, CKO_PUBLIC_KEY},
    {"secret-key", object_type::secret_key, CKO_SECRET_KEY},
}};

// `looks_like_query_name` tells whether `rest`, what follows an '&' in a path or a '?' in a query,
// begins like an attribute of the query, so that its author took the one delimiter for the other.
bool looks_like_query_name(std::string_view rest);

// `names_a_pin` tells whether the value of an attribute called `name` has to be treated as a PIN.
bool names_a_pin(std::string_view name);

// `is_attribute_name` tells whether `name` consists of pk11-v-attr-nm-char alone.
bool is_attribute_name(std::string_view name);

// `meant_name` returns the attribute that whoever wrote `name` may have meant, or nothing.
std::optional<std::string_view> meant_name(std::string_view name);

// `is_vendor_name` tells whether a name that RFC 7512 does not define is taken for a vendor's: it
// has the old "x-" prefix or the "vendor-" of the RFC's example, or any other prefix ("acme-",
// "acme_") and is not close to a name that the RFC defines.
bool is_vendor_name(std::string_view name);

}  // namespace hsmtls::pkcs11
