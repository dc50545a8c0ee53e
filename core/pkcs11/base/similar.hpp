// "Did you mean": the name among some that a typing error would turn into the one given.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hsmtls::pkcs11 {

// `ascii_lower` returns `text` with A-Z in lower case and every other byte as it is.
std::string ascii_lower(std::string_view text);

// `edit_distance` returns how many bytes have to be inserted, removed, replaced or swapped with
// their neighbour to turn `a` into `b` (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

// `closest_name` returns the one of `names` that is most like `wanted`, the case of letters aside,
// or nothing if none is so close that a typing error explains it: one error for each four bytes, at
// least one, at most two. The first of several equally close ones wins; names over 64 bytes are not
// looked at.
std::optional<std::string_view> closest_name(std::string_view wanted,
                                             std::span<const std::string_view> names);

}  // namespace hsmtls::pkcs11
