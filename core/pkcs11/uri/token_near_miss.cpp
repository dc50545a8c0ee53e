#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/pkcs11/uri/near_miss.hpp"
#include "core/pkcs11/uri/near_miss_words.hpp"

namespace hsmtls::pkcs11 {
namespace {

struct token_field {
  std::string_view noun;
  std::optional<std::string> uri::*wanted;
  std::string token_description::*present;
};

constexpr std::array<token_field, 4> token_fields = {{
    {"label", &uri::token, &token_description::label},
    {"serial", &uri::serial, &token_description::serial},
    {"model", &uri::model, &token_description::model},
    {"manufacturer", &uri::manufacturer, &token_description::manufacturer},
}};

std::string token_lacks(const token_field& field, std::string_view value) {
  if (field.noun == "label" && value.empty()) return "no token is without a label";
  if (field.noun == "label") return "no token is labelled " + quoted_name(value);
  return "no token has the " + std::string(field.noun) + " " + quoted_name(value);
}

// `kept` fit all the fields before `field`, and none fits it.
std::string field_near_miss(const token_field& field,
                            std::string_view value,
                            const std::vector<const token_description*>& kept,
                            bool narrowed) {
  std::vector<std::string_view> names;
  names.reserve(kept.size());
  for (const auto* token : kept) names.emplace_back(token->*(field.present));
  if (!narrowed) {
    const std::string here =
        list_of(kept, [](const token_description* token) { return token_name(*token); });
    return token_lacks(field, value) + "; tokens here: " + here + did_you_mean(value, names);
  }
  if (kept.size() == 1) {
    return "token " + token_name(*kept[0]) + " found, but its " + std::string(field.noun) + " is " +
           quoted_name(names[0]) + ", not " + quoted_name(value);
  }
  return std::to_string(kept.size()) + " tokens like it found, but their " +
         std::string(field.noun) + "s are " +
         list_of(names, [](std::string_view name) { return quoted_name(name); }) + ", not " +
         quoted_name(value) + did_you_mean(value, names);
}

}  // namespace

std::string token_near_miss(const uri& wanted, std::span<const token_description> present) {
  if (const auto sentence = vendor_sentence(wanted)) return *sentence;
  if (present.empty()) return "no token is present in any slot";
  std::vector<const token_description*> kept;
  for (const token_description& token : present) kept.push_back(&token);
  bool narrowed = false;
  for (const token_field& field : token_fields) {
    const auto& value = wanted.*(field.wanted);
    if (!value) continue;
    uri only;
    only.*(field.wanted) = value;
    std::vector<const token_description*> fitting;
    std::copy_if(kept.begin(), kept.end(), std::back_inserter(fitting), [&only](const auto* token) {
      return matches_token(only, *token);
    });
    if (fitting.empty()) return field_near_miss(field, *value, kept, narrowed);
    kept = std::move(fitting);
    narrowed = true;
  }
  const std::string names =
      list_of(kept, [](const token_description* token) { return token_name(*token); });
  return (kept.size() == 1 ? "token " : "tokens ") + names +
         " found, but not where the URI's slot and library attributes say";
}

}  // namespace hsmtls::pkcs11
