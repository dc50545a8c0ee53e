// RFC 7512: the "pkcs11:" URI, parsed, compared and written.
#pragma once

#include <pkcs11.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/uri/pin_source.hpp"
#include "core/pkcs11/uri/secret_text.hpp"

namespace hsmtls::pkcs11 {

// `object_type` is the value of the attribute "type" (RFC 7512 section 2.3, table 2).
enum class object_type {
  certificate,  // "cert", CKO_CERTIFICATE
  data,         // "data", CKO_DATA
  private_key,  // "private", CKO_PRIVATE_KEY
  public_key,   // "public", CKO_PUBLIC_KEY
  secret_key,   // "secret-key", CKO_SECRET_KEY
};

// `version_number` is the value of the attribute "library-version"; a missing minor number is 0.
struct version_number {
  std::uint8_t major_part = 0;
  std::uint8_t minor_part = 0;

  friend bool operator==(const version_number&, const version_number&) = default;
};

// `uri` is a parsed URI. An attribute that the URI does not have is empty as an optional and
// matches everything; one that it has with no value is an empty string and matches only blank.
// Texts are UTF-8 without NUL, percent-decoded; `id` is raw bytes and may hold any. `==` compares
// decoded values, in any order of attributes; see also `equivalent`.
struct uri {
  // What selects a token, in CK_TOKEN_INFO.
  std::optional<std::string> token;         // its label, at most 32 bytes
  std::optional<std::string> serial;        // at most 16 bytes of PKCS#11's own character set
  std::optional<std::string> manufacturer;  // at most 32 bytes
  std::optional<std::string> model;         // at most 16 bytes

  // What selects a slot.
  std::optional<CK_SLOT_ID> slot_id;
  std::optional<std::string> slot_description;   // at most 64 bytes
  std::optional<std::string> slot_manufacturer;  // at most 32 bytes

  // What selects a module, in CK_INFO.
  std::optional<std::string> library_description;   // at most 32 bytes
  std::optional<std::string> library_manufacturer;  // at most 32 bytes
  std::optional<version_number> library_version;

  // What selects an object.
  std::optional<std::string> object;  // CKA_LABEL
  std::optional<std::vector<std::uint8_t>> id;
  std::optional<object_type> type;

  // Vendor attributes of the path, by name. RFC 7512 section 2.5: none of ours, so nothing matches
  // a URI that has one.
  std::map<std::string, std::string> vendor;

  // The query. `pin_value` wipes its bytes when the URI goes.
  std::optional<pin_location> pin_source;
  std::optional<secret_text> pin_value;
  std::optional<std::string> module_name;  // no path, no affixes: "softhsm2"
  std::optional<std::string> module_path;  // absolute

  // Vendor attributes of the query, by name; one name may occur several times, in the URI's order.
  // RFC 7512 section 2.5: ignored.
  std::multimap<std::string, std::string> vendor_query;

  friend bool operator==(const uri&, const uri&) = default;
};

// `uri_errc` says what kind of mistake a text has.
enum class uri_errc {
  none,
  not_a_pkcs11_uri,       // another scheme, or none
  malformed_attribute,    // no "=", no name, or nothing between two delimiters
  character_not_allowed,  // has to be percent-encoded
  broken_escape,          // a '%' that two hexadecimal digits do not follow
  not_text,               // a NUL, or bytes that are not UTF-8
  too_long,               // does not fit PKCS#11's fixed-size field
  bad_value,              // not a value of this attribute
  unknown_attribute,      // neither RFC 7512's nor a vendor's
  misplaced_attribute,    // of the query in the path, or the other way round
  duplicate_attribute,
  conflicting_pins,  // pin-source together with pin-value
  bad_pin_source,    // `|command`, another host, a relative path, an unknown kind
};

// `uri_problem` is why a text was refused. Nothing in it comes from the value of a query attribute,
// so it never holds a PIN.
struct uri_problem {
  uri_errc code = uri_errc::none;
  std::string attribute;   // the attribute's name if RFC 7512 defines it, else empty
  std::size_t offset = 0;  // in bytes from the start of the URI; for a PIN's value that of its name
  std::string message;     // one English sentence, UTF-8: which attribute, where, and what to do
};

// `uri_result` holds the URI, or the problem.
struct uri_result {
  std::optional<uri> value;
  uri_problem problem;

  explicit operator bool() const { return value.has_value(); }
};

// `parse_uri` reads `text` as RFC 7512 section 2.3 defines it. The scheme is read in either case,
// the names of attributes and the values of "type" only as the RFC spells them. A name that the RFC
// does not define is a vendor's if it has a vendor's prefix ("x-foo", "acme-slot"), and refused
// otherwise or when it looks like a mistyped one. An '&' in a path and a '?' in a query are refused
// where the name of a query attribute follows, though RFC 7512's grammar takes them for a part of
// the value: they are mistaken delimiters, and a PIN may follow. Takes time in proportion to the
// text's length, n log n with many vendor attributes.
uri_result parse_uri(std::string_view text);

// `build_uri` writes `from` in one fixed order of attributes: token, serial, manufacturer, model,
// slot-*, library-*, object, id, type, vendor's, "?", pin-source, pin-value, module-*, vendor's.
// "id" is encoded byte by byte (RFC 7512 section 2.3), text only where the RFC demands it.
// `parse_uri` reads it back as an equal URI if it would accept the values. The result holds the PIN
// if there is a `pin_value`: the caller wipes it, and logs `redacted_uri` instead.
std::string build_uri(const uri& from);

// `redacted_uri` is `build_uri` with "redacted" in place of the value of "pin-value" and of each
// vendor attribute that has "pin" in its name.
std::string redacted_uri(const uri& from);

// `equivalent` compares as RFC 7512 section 2.6 does: like `==`, and the paths in "module-path" and
// in a file's "pin-source" after their "." and ".." segments are resolved (RFC 3986
// section 6.2.2.3). It never looks at the file system.
bool equivalent(const uri& a, const uri& b);

// `type_name` returns how `type` is spelled in a URI: "private".
std::string_view type_name(object_type type);

// `class_of` returns the CKO_ constant of `type`.
CK_OBJECT_CLASS class_of(object_type type);

// `type_of` returns the type whose CKO_ constant is `object_class`, or nothing if a URI cannot name
// it.
std::optional<object_type> type_of(CK_OBJECT_CLASS object_class);

}  // namespace hsmtls::pkcs11
