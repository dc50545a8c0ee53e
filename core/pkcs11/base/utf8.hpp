// What is text: UTF-8, as names in tokens and URIs have to be.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace hsmtls::pkcs11 {

// `first_non_text` returns the offset of the first byte of `text` that is a NUL or not part of
// well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF).
std::optional<std::size_t> first_non_text(std::string_view text);

}  // namespace hsmtls::pkcs11
