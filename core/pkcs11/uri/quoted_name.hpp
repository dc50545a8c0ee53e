// Names from tokens and URIs, made fit for a sentence.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace hsmtls::pkcs11 {

// `quoted_name` returns `name` between single quotes, as UTF-8 that is safe on a terminal and in a
// log: control characters, quotes, backslashes and bytes that are not UTF-8 become \xNN, and what
// goes beyond 64 bytes
// "...". A name that holds "pin-value" is cut before it.
std::string quoted_name(std::string_view name);

inline constexpr std::size_t most_listed = 10;

// `listed` joins `items` with commas. Beyond `most_listed` it says how many there are: "..., 'j'
// and 990 more".
std::string listed(std::span<const std::string> items);

}  // namespace hsmtls::pkcs11
