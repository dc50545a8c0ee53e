// The words that the sentences of near_miss.hpp share.
#pragma once

#include <pkcs11.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/uri/uri_match.hpp"

namespace hsmtls::pkcs11 {

struct noun {
  std::string_view one, many;
};

using object_list = std::vector<const object_attributes*>;

// `noun_of` returns what objects of this class are called; a private key is a "key".
noun noun_of(CK_OBJECT_CLASS object_class);

// `common_noun` returns what all of `objects` are called, "objects" if they are not alike.
noun common_noun(const object_list& objects);

// `token_name` returns "'edge' (serial 1234)".
std::string token_name(const token_description& token);

// `object_name` returns "'device'", or "(unlabelled, id %01)".
std::string object_name(const object_attributes& object);

// `id_text` returns a CKA_ID as a URI spells it, cut after 20 bytes.
std::string id_text(const std::vector<std::uint8_t>& id);

// `did_you_mean` returns "; did you mean 'edge'?", or nothing if none of `names` is close to
// `wanted`.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string_view>& names);

// `vendor_sentence` returns why a URI with a vendor attribute in its path fits nothing.
std::optional<std::string> vendor_sentence(const uri& wanted);

// `list_of` returns `describe_one` of each element as `listed` does.
template <typename Range, typename Describe>
std::string list_of(const Range& range, Describe describe_one) {
  std::vector<std::string> items;
  std::transform(range.begin(), range.end(), std::back_inserter(items), describe_one);
  return listed(items);
}

}  // namespace hsmtls::pkcs11
