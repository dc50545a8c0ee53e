// As much of RFC 7512 as a command needs of a URI that the library looks at as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hsmtls::cli {

// `path_of` returns the URI without its query: what selects, without where the PIN is.
std::string path_of(std::string_view uri);

// `attribute_of` returns an attribute of the path, `query_attribute_of` one of the query, decoded.
std::optional<std::string> attribute_of(std::string_view uri, std::string_view name);
std::optional<std::string> query_attribute_of(std::string_view uri, std::string_view name);

// `with_query_of` returns `path` with the query that `uri` has.
std::string with_query_of(const std::string& path, std::string_view uri);

// `without_attributes` returns `uri` without those attributes of its path.
std::string without_attributes(std::string_view uri, std::span<const std::string_view> names);

// `encoded` returns a value with every byte percent-encoded that is no letter or digit.
std::string encoded(std::string_view value);

}  // namespace hsmtls::cli
