// From a URI to the token and the objects that it means.
#pragma once

#include <string>
#include <vector>

#include "core/pkcs11/base/quoted_name.hpp"
#include "core/pkcs11/private/pin_provider.hpp"
#include "core/pkcs11/runtime/runtime.hpp"
#include "core/pkcs11/token/object.hpp"
#include "core/pkcs11/uri/uri.hpp"
#include "core/pkcs11/uri/uri_match.hpp"

namespace hsmtls::pkcs11 {

// A token that is there now.
struct present_token {
  token* behind = nullptr;
  CK_SLOT_ID slot = 0;  // our number
  CK_TOKEN_INFO info{};

  [[nodiscard]] token_description description() const { return describe(info, slot); }
  [[nodiscard]] std::string label() const { return unpadded(info.label); }
  // For sentences.
  [[nodiscard]] std::string quoted_label() const { return quoted_name(label()); }
};

// An object as it was found: its names and where. The handle is good in that life of the token
// only.
struct found_object {
  CK_OBJECT_HANDLE handle = 0;
  uint64_t life = 0;
  object_recipe recipe;

  [[nodiscard]] object_attributes attributes() const {
    return {recipe.object_class, recipe.id, std::string(recipe.label.begin(), recipe.label.end())};
  }
};

// `parse_or_throw` parses a URI; throws MALFORMED_URI with the parser's sentence.
uri parse_or_throw(const char* text);

// Where to look.
using modules_list = std::vector<vendor_module*>;

// `only_module_of` returns the module that the caller wants to look in alone; empty: in all.
std::string only_module_of(const hsmtls_p11_login* login);

// `all_tokens` lists every slot, `with_token` only or all.
std::vector<present_token> all_tokens(const modules_list& in, bool with_token, time_point until);

// `tokens_of` returns the tokens that the URI fits; throws TOKEN_NOT_FOUND with the near miss.
std::vector<present_token> tokens_of(const modules_list& in, const uri& wanted, time_point until);

// `one_token_of` throws AMBIGUOUS, too, if it fits several.
present_token one_token_of(const modules_list& in, const uri& wanted, time_point until);

// `can_log_in` tells whether `log_in` has anything to log in with.
bool can_log_in(const present_token& where, const pin_provider& pins);

// `log_in` logs the private face in to a token, if it is not yet. Throws PIN_REQUIRED,
// PIN_INCORRECT, ….
void log_in(const present_token& where, pin_provider& pins, time_point until);

// `search` finds the objects in `where` whose class (if `wanted` has a type, else `fallback`),
// label and id are as the URI says; at most `most`.
std::vector<found_object> search(const present_token& where,
                                 const uri& wanted,
                                 std::optional<CK_OBJECT_CLASS> fallback,
                                 size_t most,
                                 time_point until);

// As many as it takes to say that a URI fits several objects, or none of those that are there.
inline constexpr size_t most_candidates = 11;
inline constexpr size_t most_near_misses = 200;

// `throw_not_found` throws OBJECT_NOT_FOUND: `beginning`, and the near miss among what can be seen.
[[noreturn]] void throw_not_found(const std::string& beginning,
                                  const uri& wanted,
                                  const present_token& where,
                                  time_point until);

// `public_companions` finds the public keys that belong to a private key: by its CKA_ID, or its
// label where it has none.
std::vector<found_object> public_companions(const present_token& where,
                                            const object_recipe& key,
                                            time_point until);

// `uri_for` writes the URI of an object: token label and serial, object, id, type; no query.
std::string uri_for(const present_token& where, const object_recipe& recipe);

}  // namespace hsmtls::pkcs11
