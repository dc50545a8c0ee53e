#include <algorithm>
#include <iterator>

#include "core/pkcs11/uri/near_miss.hpp"
#include "core/pkcs11/uri/near_miss_words.hpp"

namespace hsmtls::pkcs11 {
namespace {

// Names alone; with the id where names do not tell them apart or the id is what is asked for; with
// the class where there are several.
std::string object_names(const object_list& objects, bool with_id) {
  std::vector<std::string> labels;
  for (const auto* object : objects) labels.push_back(object->label);
  std::sort(labels.begin(), labels.end());
  const bool namesakes = std::adjacent_find(labels.begin(), labels.end()) != labels.end();
  const bool with_class = common_noun(objects).one == "object";
  return list_of(objects, [&](const object_attributes* object) {
    std::string details;
    if (with_class) details = noun_of(object->object_class).one;
    if ((with_id || namesakes) && !object->label.empty()) {
      details += (details.empty() ? "id " : ", id ") + id_text(object->id);
    }
    return object_name(*object) + (details.empty() ? "" : " (" + details + ")");
  });
}

// "the key 'a'", or "keys 'a', 'b'".
std::string some(const object_list& objects, bool with_id) {
  const noun what = common_noun(objects);
  return (objects.size() == 1 ? "the " + std::string(what.one) : std::string(what.many)) + " " +
         object_names(objects, with_id);
}

template <typename Keep>
object_list filtered(const object_list& objects, Keep keep) {
  object_list kept;
  std::copy_if(objects.begin(), objects.end(), std::back_inserter(kept), [&](const auto* object) {
    return keep(*object);
  });
  return kept;
}

std::string label_near_miss(std::string_view wanted, const object_list& objects) {
  std::vector<std::string_view> names;
  for (const auto* object : objects) names.emplace_back(object->label);
  const std::string is =
      wanted.empty() ? "is without a label" : "is labelled " + quoted_name(wanted);
  return "it has " + some(objects, false) + "; none " + is + did_you_mean(wanted, names);
}

std::string id_near_miss(const std::vector<std::uint8_t>& wanted, const object_list& objects) {
  return "it has " + some(objects, true) + "; none has the id " + id_text(wanted);
}

std::string object_sentence(const uri& wanted, const object_list& present) {
  object_list kept = present;
  if (wanted.type) {
    const CK_OBJECT_CLASS object_class = class_of(*wanted.type);
    kept = filtered(present, [object_class](const object_attributes& object) {
      return object.object_class == object_class;
    });
    if (kept.empty()) {
      const bool is_private = *wanted.type == object_type::private_key;
      std::string lacks = "it has no " + std::string(is_private ? "private " : "") +
                          std::string(noun_of(object_class).one);
      if (present.empty()) return lacks;
      return lacks + " but " + some(present, false);
    }
  }
  if (kept.empty()) return "it has no objects";
  if (wanted.object) {
    const object_list namesakes = filtered(kept, [&wanted](const object_attributes& object) {
      return object.label == *wanted.object;
    });
    if (namesakes.empty()) return label_near_miss(*wanted.object, kept);
    kept = namesakes;
  }
  if (wanted.id) {
    const object_list fitting = filtered(
        kept, [&wanted](const object_attributes& object) { return object.id == *wanted.id; });
    if (fitting.empty()) return id_near_miss(*wanted.id, kept);
    kept = fitting;
  }
  return "it has " + some(kept, true) + ", which the URI fits";
}

}  // namespace

std::string object_near_miss(const uri& wanted,
                             const token_description& token,
                             std::span<const object_attributes> present,
                             visibility seen) {
  if (const auto sentence = vendor_sentence(wanted)) return *sentence;
  object_list objects;
  for (const object_attributes& object : present) objects.push_back(&object);
  const std::string found =
      token.label.empty() ? "an unlabelled token" : "token " + quoted_name(token.label);
  std::string sentence = found + " found; " + object_sentence(wanted, objects);
  if (seen == visibility::public_objects_only) {
    sentence += "; private objects show only after login, so give a PIN";
  }
  return sentence;
}

}  // namespace hsmtls::pkcs11
