#include "core/pkcs11/uri/near_miss_words.hpp"

#include "core/pkcs11/base/similar.hpp"
#include "core/pkcs11/uri/percent.hpp"

namespace hsmtls::pkcs11 {

noun noun_of(CK_OBJECT_CLASS object_class) {
  switch (object_class) {
    case CKO_CERTIFICATE:
      return {"certificate", "certificates"};
    case CKO_DATA:
      return {"data object", "data objects"};
    case CKO_PRIVATE_KEY:
      return {"key", "keys"};
    case CKO_PUBLIC_KEY:
      return {"public key", "public keys"};
    case CKO_SECRET_KEY:
      return {"secret key", "secret keys"};
    default:
      return {"object", "objects"};
  }
}

noun common_noun(const object_list& objects) {
  if (objects.empty()) return {"object", "objects"};
  const CK_OBJECT_CLASS first = objects[0]->object_class;
  const bool alike = std::all_of(objects.begin(), objects.end(), [first](const auto* object) {
    return object->object_class == first;
  });
  return alike ? noun_of(first) : noun{"object", "objects"};
}

std::string token_name(const token_description& token) {
  std::string name = token.label.empty() ? "an unlabelled token" : quoted_name(token.label);
  if (token.serial.empty()) return name;
  const std::string serial = quoted_name(token.serial);
  return name + " (serial " + serial.substr(1, serial.size() - 2) + ")";
}

std::string object_name(const object_attributes& object) {
  return object.label.empty() ? "(unlabelled, id " + id_text(object.id) + ")"
                              : quoted_name(object.label);
}

std::string id_text(const std::vector<std::uint8_t>& id) {
  constexpr std::size_t longest = 20;
  if (id.empty()) return "(empty)";
  std::string text;
  for (std::size_t i = 0; i < std::min(id.size(), longest); ++i) text += percent_encoded(id[i]);
  return id.size() > longest ? text + "..." : text;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string_view>& names) {
  // An exact namesake was refused for another reason: naming it would not help.
  const auto close = closest_name(wanted, names);
  return close && *close != wanted ? "; did you mean " + quoted_name(*close) + "?" : "";
}

std::optional<std::string> vendor_sentence(const uri& wanted) {
  if (wanted.vendor.empty()) return std::nullopt;
  return "the URI has the vendor attribute " + quoted_name(wanted.vendor.begin()->first) +
         ", which is not known here, so nothing matches it (RFC 7512 section 2.5); remove it";
}

}  // namespace hsmtls::pkcs11
