// Names from tokens and URIs, made fit for a sentence.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace hsmtls::pkcs11 {

// `quoted_name` returns `name` between single quotes, as UTF-8 that is safe on a terminal and in a
// log: control characters, quotes, backslashes and bytes that are not UTF-8 become \xNN, and what
// goes beyond 64 bytes "...". A name that holds "pin-value" is cut before it.
std::string quoted_name(std::string_view name);

// `quoted_path` is that for the path of a file, which is shown as a whole.
std::string quoted_path(std::string_view path);

// `escaped` returns `text` with control characters (C0, DEL, C1 in UTF-8), bytes that are not
// UTF-8, and the characters `also` as \xNN.
std::string escaped(std::string_view text, std::string_view also = {});

// `cut_to` shortens `text` to `most` bytes and "...", between two characters.
void cut_to(std::string& text, std::size_t most);

inline constexpr std::size_t most_listed = 10;

// `listed` joins `items` with commas. Beyond `most_listed` it says how many there are: "..., 'j'
// and 990 more".
std::string listed(std::span<const std::string> items);

}  // namespace hsmtls::pkcs11
