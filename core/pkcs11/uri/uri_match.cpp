#include "core/pkcs11/uri/uri_match.hpp"

namespace hsmtls::pkcs11 {
namespace {

// In a padded field "edge" and "edge " are the same 32 bytes, so blanks at the end of the URI's
// value say nothing either.
bool fits_field(const std::optional<std::string>& wanted, std::string_view field) {
  if (!wanted) return true;
  const std::string_view value = *wanted;
  const std::size_t last = value.find_last_not_of(' ');
  return value.substr(0, last == std::string_view::npos ? 0 : last + 1) == field;
}

}  // namespace

token_description describe(const CK_TOKEN_INFO& info, std::optional<CK_SLOT_ID> slot_id) {
  return {std::string(unpadded(info.label)),
          std::string(unpadded(info.serialNumber)),
          std::string(unpadded(info.model)),
          std::string(unpadded(info.manufacturerID)),
          slot_id};
}

bool matches_token(const uri& wanted, const token_description& token) {
  return wanted.vendor.empty() && fits_field(wanted.token, token.label) &&
         fits_field(wanted.serial, token.serial) && fits_field(wanted.model, token.model) &&
         fits_field(wanted.manufacturer, token.manufacturer) &&
         (!wanted.slot_id || !token.slot_id || *wanted.slot_id == *token.slot_id);
}

bool matches_token(const uri& wanted, const CK_TOKEN_INFO& info) {
  return matches_token(wanted, describe(info));
}

bool matches_slot(const uri& wanted, CK_SLOT_ID id, const CK_SLOT_INFO& info) {
  return wanted.vendor.empty() && (!wanted.slot_id || *wanted.slot_id == id) &&
         fits_field(wanted.slot_description, unpadded(info.slotDescription)) &&
         fits_field(wanted.slot_manufacturer, unpadded(info.manufacturerID));
}

bool matches_library(const uri& wanted, const CK_INFO& info) {
  const version_number version{info.libraryVersion.major, info.libraryVersion.minor};
  return wanted.vendor.empty() &&
         fits_field(wanted.library_description, unpadded(info.libraryDescription)) &&
         fits_field(wanted.library_manufacturer, unpadded(info.manufacturerID)) &&
         (!wanted.library_version || *wanted.library_version == version);
}

bool matches_object(const uri& wanted, const object_attributes& object) {
  return wanted.vendor.empty() && (!wanted.object || *wanted.object == object.label) &&
         (!wanted.id || *wanted.id == object.id) &&
         (!wanted.type || class_of(*wanted.type) == object.object_class);
}

}  // namespace hsmtls::pkcs11
