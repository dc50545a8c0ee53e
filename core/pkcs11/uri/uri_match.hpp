// RFC 7512 section 2.5: which tokens, slots, modules and objects a URI selects.
#pragma once

#include <pkcs11.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/base/ck.hpp"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::pkcs11 {

// `token_description` is what names a token: texts of CK_TOKEN_INFO without their padding, as the
// token gave them (UTF-8 if it keeps to the standard).
struct token_description {
  std::string label;
  std::string serial;
  std::string model;
  std::string manufacturer;
  std::optional<CK_SLOT_ID> slot_id;  // empty: not known, or not worth naming

  friend bool operator==(const token_description&, const token_description&) = default;
};

// `object_attributes` is what names an object within its token. An object that has no CKA_ID or
// CKA_LABEL has an empty one here.
struct object_attributes {
  CK_OBJECT_CLASS object_class = CK_UNAVAILABLE_INFORMATION;
  std::vector<std::uint8_t> id;
  std::string label;

  friend bool operator==(const object_attributes&, const object_attributes&) = default;
};

// `describe` returns the description of a token; `slot_id` is optional there too.
token_description describe(const CK_TOKEN_INFO& info, std::optional<CK_SLOT_ID> slot_id = {});

// The functions below compare whole values, byte by byte, never prefixes. An attribute that the URI
// does not have matches everything, an empty one only a blank field. A URI with a vendor attribute
// in its path matches nothing.

// `matches_token` tells whether token, serial, manufacturer and model of `wanted` fit; and slot-id,
// where the description has one.
bool matches_token(const uri& wanted, const token_description& token);
bool matches_token(const uri& wanted, const CK_TOKEN_INFO& info);

// `matches_slot` tells whether slot-id, slot-description and slot-manufacturer of `wanted` fit.
bool matches_slot(const uri& wanted, CK_SLOT_ID id, const CK_SLOT_INFO& info);

// `matches_library` tells whether the library-* attributes of `wanted` fit.
bool matches_library(const uri& wanted, const CK_INFO& info);

// `matches_object` tells whether object, id and type of `wanted` fit. Labels of objects are not
// padded, so trailing blanks count.
bool matches_object(const uri& wanted, const object_attributes& object);

}  // namespace hsmtls::pkcs11
