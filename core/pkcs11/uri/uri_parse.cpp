#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/base/similar.hpp"
#include "core/pkcs11/base/utf8.hpp"
#include "core/pkcs11/uri/attributes.hpp"
#include "core/pkcs11/uri/decimal.hpp"
#include "core/pkcs11/uri/percent.hpp"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr std::string_view scheme = "pkcs11:";

enum class component { path, query };

// PKCS#11 v3.1 table 3, the characters of CK_CHAR: ASCII without '$', '@', '`' and control
// characters.
bool is_ck_char(char c) {
  return c >= ' ' && c <= '~' && c != '$' && c != '@' && c != '`';
}

template <typename Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

class parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  uri_result run() {
    if (ascii_lower(text_.substr(0, scheme.size())) != scheme) {
      fail(uri_errc::not_a_pkcs11_uri, {}, 0, "a PKCS #11 URI begins with 'pkcs11:'");
      return std::move(result_);
    }
    const std::size_t question = std::min(text_.find('?'), text_.size());
    uri parsed;
    parsed_ = &parsed;
    if (attributes(component::path, scheme.size(), question) &&
        attributes(component::query, std::min(question + 1, text_.size()), text_.size())) {
      result_.value = std::move(parsed);
    }
    return std::move(result_);
  }

 private:
  struct attribute {
    component where;
    std::string_view name;
    std::string_view raw;  // its value, percent-encoded
    std::size_t offset;
    std::size_t value_offset;
  };

  bool attributes(component where, std::size_t begin, std::size_t end) {
    if (begin == end) return true;
    const char delimiter = where == component::path ? ';' : '&';
    for (;;) {
      const std::size_t stop = std::min(text_.find(delimiter, begin), end);
      if (!one_attribute(where, begin, text_.substr(begin, stop - begin))) return false;
      if (stop == end) return true;
      begin = stop + 1;
    }
  }

  bool one_attribute(component where, std::size_t offset, std::string_view segment) {
    const std::string delimiter = where == component::path ? "';'" : "'&'";
    if (segment.empty()) {
      return fail(uri_errc::malformed_attribute,
                  {},
                  offset,
                  "there is no attribute here; remove the " + delimiter + " that is too much");
    }
    const std::size_t equals = segment.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      // The text itself may be a part of a PIN with a delimiter in it.
      return fail(uri_errc::malformed_attribute,
                  {},
                  offset,
                  "an attribute is written name=value; in a value " + delimiter + " is written " +
                      percent_encoded(where == component::path ? ';' : '&'));
    }
    const attribute next{
        where, segment.substr(0, equals), segment.substr(equals + 1), offset, offset + equals + 1};
    const bool accepted = is_defined(next) ? defined_attribute(next) : undefined_attribute(next);
    // From here on a name could be the tail of a PIN with a delimiter in it.
    names_are_secret_ = names_are_secret_ || names_a_pin(next.name);
    return accepted;
  }

  static bool is_defined(const attribute& a) {
    return a.where == component::path ? contains(path_names, a.name)
                                      : contains(query_names, a.name);
  }

  bool defined_attribute(const attribute& a) {
    if (contains(seen_, a.name)) return fail_twice(a);
    seen_.push_back(a.name);
    if (!no_mistaken_delimiter(a)) return false;
    return a.where == component::path ? path_attribute(a) : query_attribute(a);
  }

  bool path_attribute(const attribute& a) {
    if (a.name == "id") return id(a);
    if (a.name == "type") return type(a);
    if (a.name == "slot-id") return slot_id(a);
    if (a.name == "library-version") return library_version(a);
    for (const text_attribute& entry : text_attributes) {
      if (entry.name == a.name) return path_text(a, entry);
    }
    return false;
  }

  // RFC 7512 lets '&' stand in a path and '?' in a query. But whoever writes
  // "object=a&pin-value=1234" means '?', and would have a PIN in a label, which messages repeat.
  bool no_mistaken_delimiter(const attribute& a) {
    const bool in_path = a.where == component::path;
    const char mistaken = in_path ? '&' : '?';
    for (std::size_t at = a.raw.find(mistaken); at != std::string_view::npos;
         at = a.raw.find(mistaken, at + 1)) {
      if (!looks_like_query_name(a.raw.substr(at + 1))) continue;
      return fail(uri_errc::misplaced_attribute,
                  a.name,
                  names_a_pin(a.name) ? a.offset : a.value_offset + at,
                  in_path
                      ? "the query begins with '?', not '&'; write %26 if the '&' is the value's"
                      : "the query goes on with '&', not '?'; write %3F if the '?' is the value's");
    }
    return true;
  }

  bool path_text(const attribute& a, const text_attribute& entry) {
    std::string value;
    if (!decode_text(a, value)) return false;
    if (value.size() > entry.max_bytes) {
      return fail(uri_errc::too_long,
                  a.name,
                  a.value_offset,
                  "it is " + std::to_string(value.size()) + " bytes long, but PKCS #11 allows " +
                      std::to_string(entry.max_bytes) + "; shorten it or leave it out");
    }
    if (a.name == "serial") {
      const auto wrong = std::find_if_not(value.begin(), value.end(), is_ck_char);
      if (wrong != value.end()) {
        const auto decoded = static_cast<std::size_t>(wrong - value.begin());
        return fail(uri_errc::bad_value,
                    a.name,
                    a.value_offset + raw_offset(a.raw, decoded),
                    "PKCS #11 allows no such character in a serial number; leave the attribute "
                    "out and name the token by 'token'");
      }
    }
    parsed_->*(entry.member) = std::move(value);
    return true;
  }

  bool id(const attribute& a) {
    std::vector<std::uint8_t> bytes;
    const auto fault = percent_decode(
        a.raw, path_chars, [&bytes](char c) { bytes.push_back(static_cast<std::uint8_t>(c)); });
    if (fault) return fail_encoding(a, *fault);
    parsed_->id = std::move(bytes);
    return true;
  }

  bool type(const attribute& a) {
    std::array<std::string_view, types.size()> names;
    std::transform(types.begin(), types.end(), names.begin(), [](const type_entry& entry) {
      return entry.name;
    });
    for (const type_entry& entry : types) {
      if (entry.name != a.raw) continue;
      parsed_->type = entry.type;
      return true;
    }
    std::string message = "it is none of cert, data, private, public, secret-key";
    if (const auto close = closest_name(a.raw, names)) {
      message += "; did you mean " + quoted_name(*close) + "?";
    }
    return fail(uri_errc::bad_value, a.name, a.value_offset, message);
  }

  bool slot_id(const attribute& a) {
    const decimal_result number = parse_decimal(a.raw, std::numeric_limits<CK_SLOT_ID>::max());
    if (!number.value) {
      return fail(uri_errc::bad_value,
                  a.name,
                  a.value_offset,
                  number.overflow ? "the number does not fit a slot's number on this machine"
                                  : "it is not a decimal number");
    }
    parsed_->slot_id = static_cast<CK_SLOT_ID>(*number.value);
    return true;
  }

  bool library_version(const attribute& a) {
    const std::size_t dot = a.raw.find('.');
    const auto part = [](std::string_view digits) {
      return parse_decimal(digits, std::numeric_limits<std::uint8_t>::max()).value;
    };
    const auto major_part = part(a.raw.substr(0, dot));
    const auto minor_part = dot == std::string_view::npos ? std::optional<std::uint64_t>(0)
                                                          : part(a.raw.substr(dot + 1));
    if (!major_part || !minor_part) {
      return fail(uri_errc::bad_value,
                  a.name,
                  a.value_offset,
                  "write M or M.N, two decimal numbers up to 255");
    }
    parsed_->library_version = version_number{static_cast<std::uint8_t>(*major_part),
                                              static_cast<std::uint8_t>(*minor_part)};
    return true;
  }

  bool query_attribute(const attribute& a) {
    if (a.name.starts_with("pin-")) {
      const std::string_view other = a.name == "pin-value" ? "pin-source" : "pin-value";
      if (contains(seen_, other)) {
        return fail(uri_errc::conflicting_pins,
                    a.name,
                    a.offset,
                    "the URI has pin-source and pin-value; leave one of them out (RFC 7512 "
                    "section 2.4)");
      }
    }
    if (a.name == "pin-value") return pin_value(a);
    std::string value;
    if (!decode_text(a, value)) return false;
    if (a.name == "pin-source") return pin_source(a, value);
    if (a.name == "module-name") return module_name(a, std::move(value));
    return module_path(a, std::move(value));
  }

  bool pin_value(const attribute& a) {
    secret_text pin = secret_text::with_capacity(a.raw.size());
    const auto fault = percent_decode(a.raw, query_chars, [&pin](char c) { pin.push_back(c); });
    if (fault) return fail_encoding(a, *fault);
    if (first_non_text(pin.view())) return fail_not_text(a, 0);
    parsed_->pin_value = std::move(pin);
    return true;
  }

  bool pin_source(const attribute& a, std::string_view value) {
    pin_location_result location = parse_pin_source(value);
    if (!location.value) {
      return fail(uri_errc::bad_pin_source, a.name, a.offset, location.problem);
    }
    parsed_->pin_source = std::move(location.value);
    return true;
  }

  bool module_name(const attribute& a, std::string value) {
    if (value.empty() || value.find('/') != std::string::npos) {
      return fail(uri_errc::bad_value,
                  a.name,
                  a.value_offset,
                  "write the module's bare name, as in 'softhsm2'; a path goes into module-path");
    }
    parsed_->module_name = std::move(value);
    return true;
  }

  bool module_path(const attribute& a, std::string value) {
    if (!value.starts_with('/')) {
      return fail(uri_errc::bad_value,
                  a.name,
                  a.value_offset,
                  "write an absolute path; a relative one could load another program's module");
    }
    parsed_->module_path = std::move(value);
    return true;
  }

  bool undefined_attribute(const attribute& a) {
    if (!is_attribute_name(a.name)) {
      return fail(uri_errc::malformed_attribute,
                  {},
                  a.offset,
                  "a name consists of letters, digits, '-' and '_'");
    }
    const bool elsewhere =
        a.where == component::path ? contains(query_names, a.name) : contains(path_names, a.name);
    if (elsewhere) {
      return fail(uri_errc::misplaced_attribute,
                  a.name,
                  a.offset,
                  a.where == component::path ? "it belongs to the query, after '?'"
                                             : "it belongs to the path, before '?'");
    }
    if (!is_vendor_name(a.name)) return fail_unknown(a, meant_name(a.name));
    return vendor_attribute(a);
  }

  bool vendor_attribute(const attribute& a) {
    if (!no_mistaken_delimiter(a)) return false;
    std::string value;
    if (!decode_text(a, value)) return false;
    if (a.where == component::query) {
      parsed_->vendor_query.emplace(a.name, std::move(value));
      return true;
    }
    const bool first = parsed_->vendor.emplace(a.name, std::move(value)).second;
    return first || fail_twice(a);
  }

  bool decode_text(const attribute& a, std::string& value) {
    const char_set& allowed = a.where == component::path ? path_chars : query_chars;
    const auto fault = percent_decode(a.raw, allowed, [&value](char c) { value.push_back(c); });
    if (fault) return fail_encoding(a, *fault);
    if (const auto at = first_non_text(value)) return fail_not_text(a, *at);
    return true;
  }

  // Where and what a mistake in a value is, unless that would tell something of a PIN.
  bool fail_encoding(const attribute& a, const decode_fault& fault) {
    const bool secret = a.where == component::query || names_a_pin(a.name);
    const bool broken = fault.why == decode_fault::reason::broken_escape;
    const uri_errc code = broken ? uri_errc::broken_escape : uri_errc::character_not_allowed;
    if (secret) {
      return fail(code,
                  a.name,
                  a.offset,
                  broken ? "two hexadecimal digits have to follow each '%' of its value; '%' "
                           "itself is written %25"
                         : "its value holds a character that has to be written as %XX");
    }
    const std::size_t at = a.value_offset + fault.at;
    if (broken) {
      return fail(
          code, a.name, at, "two hexadecimal digits have to follow a '%'; '%' itself is %25");
    }
    const std::string encoded = percent_encoded(static_cast<unsigned char>(a.raw[fault.at]));
    return fail(code,
                a.name,
                at,
                "the character " + quoted_name(a.raw.substr(fault.at, 1)) + " has to be written " +
                    encoded);
  }

  bool fail_not_text(const attribute& a, std::size_t decoded) {
    const bool secret = a.where == component::query || names_a_pin(a.name);
    return fail(uri_errc::not_text,
                a.name,
                secret ? a.offset : a.value_offset + raw_offset(a.raw, decoded),
                "its value has to be UTF-8 without NUL bytes; only 'id' holds raw bytes");
  }

  bool fail_twice(const attribute& a) {
    return fail(uri_errc::duplicate_attribute,
                a.name,
                a.offset,
                "it is there twice; leave one of them out");
  }

  bool fail_unknown(const attribute& a, std::optional<std::string_view> meant) {
    std::string message =
        names_are_secret_ ? "an attribute" : "the attribute " + quoted_name(a.name);
    message += " is unknown; ";
    if (meant) {
      message += "did you mean '" + std::string(*meant) + "'?";
    } else {
      message += "a vendor's own needs a prefix, as in 'x-foo'";
    }
    return fail(uri_errc::unknown_attribute, {}, a.offset, message);
  }

  bool fail(uri_errc code, std::string_view name, std::size_t offset, std::string_view what) {
    uri_problem& problem = result_.problem;
    problem.code = code;
    problem.offset = offset;
    problem.message = "URI, offset " + std::to_string(offset);
    if (contains(path_names, name) || contains(query_names, name)) {
      problem.attribute = name;
      problem.message += ", attribute '" + problem.attribute + "'";
    } else if (!name.empty() && !names_are_secret_) {
      problem.message += ", attribute " + quoted_name(name);
    }
    problem.message += ": ";
    problem.message += what;
    return false;
  }

  std::string_view text_;
  uri* parsed_ = nullptr;
  uri_result result_;
  std::vector<std::string_view> seen_;  // of the attributes that RFC 7512 defines
  bool names_are_secret_ = false;
};

}  // namespace

uri_result parse_uri(std::string_view text) {
  return parser(text).run();
}

}  // namespace hsmtls::pkcs11
