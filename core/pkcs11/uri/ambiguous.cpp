#include <algorithm>

#include "core/pkcs11/uri/near_miss.hpp"
#include "core/pkcs11/uri/near_miss_words.hpp"

namespace hsmtls::pkcs11 {
namespace {

// Adds an attribute unless the URI has it or no URI can express it: a label that is not UTF-8, say.
template <typename Value>
void narrow(uri& to, std::optional<Value> uri::*member, const Value& value) {
  if (to.*member) return;
  uri probe;
  probe.*member = std::optional<Value>(value);
  if (parse_uri(build_uri(probe))) to.*member = value;
}

enum class detail { label, serial, model, slot };

void narrow_to_token(uri& to, const token_description& token, detail upto) {
  narrow(to, &uri::token, token.label);
  if (upto >= detail::serial) narrow(to, &uri::serial, token.serial);
  if (upto >= detail::model) {
    narrow(to, &uri::model, token.model);
    narrow(to, &uri::manufacturer, token.manufacturer);
  }
  if (upto >= detail::slot && token.slot_id) narrow(to, &uri::slot_id, *token.slot_id);
}

void narrow_to(uri& to, const token_description& token, detail upto) {
  narrow_to_token(to, token, upto);
}

void narrow_to(uri& to, const located_object& candidate, detail upto) {
  narrow_to_token(to, candidate.token, upto);
  narrow(to, &uri::object, candidate.object.label);
  narrow(to, &uri::id, candidate.object.id);
  if (const auto type = type_of(candidate.object.object_class)) narrow(to, &uri::type, *type);
}

bool fits(const uri& wanted, const token_description& token) {
  return matches_token(wanted, token);
}

bool fits(const uri& wanted, const located_object& candidate) {
  return matches_token(wanted, candidate.token) && matches_object(wanted, candidate.object);
}

uri without_query(uri from) {
  from.pin_source.reset();
  from.pin_value.reset();
  from.module_name.reset();
  from.module_path.reset();
  from.vendor_query.clear();
  return from;
}

template <typename Candidate>
std::string uri_for(const uri& wanted,
                    const Candidate& candidate,
                    std::span<const Candidate> fitting) {
  for (const detail upto : {detail::label, detail::serial, detail::model, detail::slot}) {
    uri narrowed = without_query(wanted);
    narrow_to(narrowed, candidate, upto);
    const auto count = std::count_if(fitting.begin(), fitting.end(), [&](const Candidate& other) {
      return fits(narrowed, other);
    });
    if (count == 1) return redacted_uri(narrowed);
  }
  return "no URI tells it from another";
}

template <typename Candidate, typename Name>
std::string ambiguous(const uri& wanted,
                      std::span<const Candidate> fitting,
                      std::string_view nouns,
                      Name name) {
  std::vector<std::string> items;
  for (const Candidate& candidate : fitting) {
    // `listed` only counts the rest.
    items.push_back(items.size() < most_listed
                        ? name(candidate) + " (" + uri_for(wanted, candidate, fitting) + ")"
                        : "");
  }
  return "the URI fits " + std::to_string(fitting.size()) + " " + std::string(nouns) +
         "; use a URI that fits one: " + listed(items);
}

}  // namespace

std::string ambiguous_tokens(const uri& wanted, std::span<const token_description> fitting) {
  return ambiguous(wanted, fitting, "tokens", token_name);
}

std::string ambiguous_objects(const uri& wanted, std::span<const located_object> fitting) {
  object_list objects;
  for (const located_object& candidate : fitting) objects.push_back(&candidate.object);
  return ambiguous(wanted, fitting, common_noun(objects).many, [](const located_object& candidate) {
    return object_name(candidate.object);
  });
}

}  // namespace hsmtls::pkcs11
