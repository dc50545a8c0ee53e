#include "core/pkcs11/uri/uri.hpp"

#include "core/pkcs11/uri/attributes.hpp"

namespace hsmtls::pkcs11 {
namespace {

// RFC 3986 section 5.2.4, for an absolute path.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_in_folder = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    ends_in_folder = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!ends_in_folder) kept.push_back(segment);
  }
  std::string resolved;
  for (const std::string_view segment : kept) {
    resolved += '/';
    resolved += segment;
  }
  if (ends_in_folder) resolved += '/';
  return resolved;
}

uri normalised(uri from) {
  if (from.module_path && from.module_path->starts_with('/')) {
    from.module_path = without_dot_segments(*from.module_path);
  }
  if (from.pin_source && from.pin_source->where == pin_location::kind::file) {
    from.pin_source->name = without_dot_segments(from.pin_source->name);
  }
  return from;
}

}  // namespace

bool equivalent(const uri& a, const uri& b) {
  return normalised(a) == normalised(b);
}

std::string_view type_name(object_type type) {
  for (const type_entry& entry : types) {
    if (entry.type == type) return entry.name;
  }
  return {};
}

CK_OBJECT_CLASS class_of(object_type type) {
  for (const type_entry& entry : types) {
    if (entry.type == type) return entry.object_class;
  }
  return CK_UNAVAILABLE_INFORMATION;
}

std::optional<object_type> type_of(CK_OBJECT_CLASS object_class) {
  for (const type_entry& entry : types) {
    if (entry.object_class == object_class) return entry.type;
  }
  return std::nullopt;
}

}  // namespace hsmtls::pkcs11
