// URIs as the core reads them (RFC 7512), and what of one may be shown.
#pragma once

#include <string>
#include <string_view>

#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::cli {

// `parsed` reads a URI. Throws problem (MALFORMED_URI), with the parser's words.
pkcs11::uri parsed(std::string_view uri);

// `names_pin`: the URI says where the PIN is, or the PIN itself. Throws problem (MALFORMED_URI).
bool names_pin(std::string_view uri);

// `with_query_of` returns `path` with the query of `from`.
pkcs11::uri with_query_of(pkcs11::uri path, const pkcs11::uri& from);

// `path_of` returns a text without its query: what selects, without where the PIN is. Of a malformed
// URI, too.
std::string path_of(std::string_view uri);

}  // namespace hsmtls::cli
