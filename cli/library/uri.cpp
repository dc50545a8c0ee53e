#include "cli/library/uri.hpp"

#include <utility>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {

pkcs11::uri parsed(std::string_view uri) {
  pkcs11::uri_result read = pkcs11::parse_uri(uri);
  if (!read) throw problem(HSMTLS_MALFORMED_URI, read.problem.message);
  return *std::move(read.value);
}

bool names_pin(std::string_view uri) {
  const pkcs11::uri read = parsed(uri);
  return read.pin_source || read.pin_value;
}

pkcs11::uri with_query_of(pkcs11::uri path, const pkcs11::uri& from) {
  path.pin_source = from.pin_source;
  path.pin_value = from.pin_value;
  path.module_name = from.module_name;
  path.module_path = from.module_path;
  path.vendor_query = from.vendor_query;
  return path;
}

std::string path_of(std::string_view uri) {
  return std::string(uri.substr(0, uri.find('?')));
}

}  // namespace hsmtls::cli
