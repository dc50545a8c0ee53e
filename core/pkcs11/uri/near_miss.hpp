// The sentence an error ends with when a URI selects nothing, or too much.
#pragma once

#include <span>
#include <string>

#include "core/pkcs11/uri/uri_match.hpp"

namespace hsmtls::pkcs11 {

// Every function here returns one English sentence, UTF-8, without a capital or a full stop so that
// it can follow a colon. Names are quoted and made safe for a terminal; lists end after ten names
// with how many more there are; no PIN is in it. They are for errors: they take time and memory in
// proportion to the lists.

// `located_object` is an object and the token it is in.
struct located_object {
  token_description token;
  object_attributes object;
};

// `visibility` says whether the list of objects is complete: PKCS#11 hides private objects until
// login.
enum class visibility { all_objects, public_objects_only };

// `token_near_miss` says why `wanted` fits none of the tokens `present`, and which one may be
// meant: "no token is labelled 'egde'; tokens here: 'edge' (serial 1234), 'spare'; did you mean
// 'edge'?"
std::string token_near_miss(const uri& wanted, std::span<const token_description> present);

// `object_near_miss` says why `wanted` fits none of the objects `present` in `token`: "token 'edge'
// found; it has keys 'device', 'device-old'; none is labelled 'device-key'". Give it all objects,
// not only those of the wanted type: it tells that a certificate of that name is there but no key.
std::string object_near_miss(const uri& wanted,
                             const token_description& token,
                             std::span<const object_attributes> present,
                             visibility seen = visibility::all_objects);

// `ambiguous_tokens` lists the tokens `fitting` that `wanted` fits, each with a URI that fits it
// alone.
std::string ambiguous_tokens(const uri& wanted, std::span<const token_description> fitting);

// `ambiguous_objects` lists the objects `fitting` that `wanted` fits, each with a URI that fits it
// alone: `wanted` without its query and with as many more attributes as that takes. It says so
// where no URI can tell two objects apart.
std::string ambiguous_objects(const uri& wanted, std::span<const located_object> fitting);

}  // namespace hsmtls::pkcs11
