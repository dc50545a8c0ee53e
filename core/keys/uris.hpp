// URIs, as all of this part reads and compares them.
#pragma once

#include <strings.h>  // strncasecmp

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/keys/failure.hpp"
#include "core/pkcs11/uri/uri.hpp"

namespace hsmtls::keys {

// `parsed` reads a URI. Throws failure (MALFORMED_URI), with the parser's words.
inline pkcs11::uri parsed(std::string_view text) {
  pkcs11::uri_result result = pkcs11::parse_uri(text);
  if (!result) throw failure(HSMTLS_MALFORMED_URI, result.problem.message);
  return *std::move(result.value);
}

// `is_uri`: a text is meant as one, in whatever case its scheme is written (RFC 3986 section 3.1).
inline bool is_uri(std::string_view text) {
  constexpr std::string_view scheme = "pkcs11:";
  return text.size() >= scheme.size() &&
         strncasecmp(text.data(), scheme.data(), scheme.size()) == 0;
}

// `agrees`: what is wanted is given; who wants nothing agrees with all.
template <class Value>
bool agrees(const std::optional<Value>& wanted, const std::optional<Value>& given) {
  return !wanted || wanted == given;
}

// `selects_token`: all that `wanted` says of a token is said in `own`, too.
inline bool selects_token(const pkcs11::uri& wanted, const pkcs11::uri& own) {
  return agrees(wanted.token, own.token) && agrees(wanted.serial, own.serial) &&
         agrees(wanted.manufacturer, own.manufacturer) && agrees(wanted.model, own.model);
}

}  // namespace hsmtls::keys
