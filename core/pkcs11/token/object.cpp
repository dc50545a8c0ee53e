#include "core/pkcs11/token/object.hpp"

#include <algorithm>

#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/token/certificate_key.hpp"
#include "core/pkcs11/token/verdict.hpp"

namespace hsmtls::pkcs11 {
namespace {

// More objects of one name than this are not told apart.
constexpr size_t most_namesakes = 16;
constexpr size_t usual_name = 128;

bool got(const CK_ATTRIBUTE& one) {
  return one.ulValueLen != CK_UNAVAILABLE_INFORMATION;
}

bool is_key(CK_OBJECT_CLASS object_class) {
  return object_class == CKO_PRIVATE_KEY || object_class == CKO_PUBLIC_KEY ||
         object_class == CKO_SECRET_KEY;
}

std::vector<CK_ATTRIBUTE_TYPE> own_attributes(const object_recipe& recipe) {
  switch (recipe.object_class) {
    case CKO_CERTIFICATE:
    case CKO_DATA:
      return {CKA_VALUE};
    case CKO_SECRET_KEY:
      return {CKA_CHECK_VALUE};
    default:
      return recipe.key_type == CKK_RSA
                 ? std::vector<CK_ATTRIBUTE_TYPE>{CKA_MODULUS}
                 : std::vector<CK_ATTRIBUTE_TYPE>{CKA_EC_POINT, CKA_PUBLIC_KEY_INFO};
  }
}

CK_RV read_first_of(token& of,
                    const lease& in,
                    CK_OBJECT_HANDLE handle,
                    const std::vector<CK_ATTRIBUTE_TYPE>& types,
                    time_point until,
                    bytes& out) {
  for (const CK_ATTRIBUTE_TYPE type : types) {
    if (const CK_RV rv = read_attribute(of, in, handle, type, until, out); rv != CKR_OK) return rv;
    if (!out.empty()) break;
  }
  return CKR_OK;
}

// The values of the objects of `object_class` that share the key's CKA_ID (its label where it has
// none): several, where a certificate was renewed beside the old one.
CK_RV read_companions(token& of,
                      const lease& in,
                      const object_recipe& key,
                      CK_OBJECT_CLASS object_class,
                      time_point until,
                      std::vector<bytes>& out) {
  object_recipe companion = key;
  companion.object_class = object_class;
  std::vector<CK_ATTRIBUTE> pattern{attribute(CKA_CLASS, companion.object_class)};
  if (!companion.id.empty()) {
    pattern.push_back(attribute(CKA_ID, companion.id));
  } else if (!companion.label.empty()) {
    pattern.push_back(attribute(CKA_LABEL, companion.label));
  } else {
    return CKR_OK;
  }
  std::vector<CK_OBJECT_HANDLE> found;
  if (const CK_RV rv = find_all(of, in, pattern, most_namesakes, until, found); rv != CKR_OK)
    return rv;
  for (const CK_OBJECT_HANDLE one : found) {
    bytes value;
    const CK_RV rv = read_first_of(of, in, one, own_attributes(companion), until, value);
    if (rv != CKR_OK) return rv;
    if (value.empty()) continue;
    // A certificate that was renewed is another one for the same key.
    const auto in_certificate = object_class == CKO_CERTIFICATE ? public_key_of_certificate(value)
                                                                : std::span<const uint8_t>();
    if (in_certificate.empty())
      out.push_back(std::move(value));
    else
      out.emplace_back(in_certificate.begin(), in_certificate.end());
  }
  return CKR_OK;
}

// Everything that `from` says of the key's public half.
CK_RV read_public_halves(token& of,
                         const lease& in,
                         CK_OBJECT_HANDLE handle,
                         const object_recipe& recipe,
                         public_half::source from,
                         time_point until,
                         std::vector<bytes>& out) {
  using source = public_half::source;
  if (from == source::own_attribute) {
    bytes value;
    const CK_RV rv = read_first_of(of, in, handle, own_attributes(recipe), until, value);
    if (rv == CKR_OK && !value.empty()) out.push_back(std::move(value));
    return rv;
  }
  if (from == source::none || recipe.object_class != CKO_PRIVATE_KEY) return CKR_OK;
  const CK_OBJECT_CLASS object_class =
      from == source::public_key ? CKO_PUBLIC_KEY : CKO_CERTIFICATE;
  return read_companions(of, in, recipe, object_class, until, out);
}

// What a candidate says of a public half that is expected.
enum class likeness { same, another, nothing };
CK_RV compare(token& of,
              const lease& in,
              CK_OBJECT_HANDLE handle,
              const object_recipe& recipe,
              const public_half& expected,
              time_point until,
              likeness& out) {
  std::vector<bytes> halves;
  const CK_RV rv = read_public_halves(of, in, handle, recipe, expected.from, until, halves);
  const bool found = std::find(halves.begin(), halves.end(), expected.value) != halves.end();
  out = found ? likeness::same : halves.empty() ? likeness::nothing : likeness::another;
  return rv;
}

}  // namespace

CK_RV read_recipe(
    token& of, const lease& in, CK_OBJECT_HANDLE handle, time_point until, object_recipe& out) {
  CK_BBOOL on_token = CK_TRUE;
  CK_BBOOL is_private = CK_FALSE;
  object_recipe read;
  read.id.resize(usual_name);
  read.label.resize(usual_name);
  CK_ATTRIBUTE list[] = {
      attribute(CKA_CLASS, read.object_class),
      attribute(CKA_TOKEN, on_token),
      attribute(CKA_PRIVATE, is_private),
      attribute(CKA_LABEL, read.label),
      attribute(CKA_ID, read.id),
      attribute(CKA_KEY_TYPE, read.key_type),
  };
  const CK_RV rv =
      of.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        return invoke(vendor.C_GetAttributeValue, session, handle, list, CK_ULONG{std::size(list)});
      });
  // PKCS#11 v3.1 C_GetAttributeValue: these three still fill in every attribute that the object
  // has.
  const bool filled =
      rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE;
  if (!filled && rv != CKR_BUFFER_TOO_SMALL) return rv;
  read.on_token = on_token != CK_FALSE;
  read.is_private = is_private != CK_FALSE;
  if (!got(list[5])) read.key_type = CK_UNAVAILABLE_INFORMATION;
  for (auto [entry, name] : {std::pair{&list[3], &read.label}, std::pair{&list[4], &read.id}}) {
    if (got(*entry)) {
      name->resize(std::min<size_t>(entry->ulValueLen, name->size()));
    } else if (rv != CKR_BUFFER_TOO_SMALL) {
      name->clear();
    } else if (const CK_RV longer = read_attribute(of, in, handle, entry->type, until, *name);
               longer != CKR_OK) {
      return longer;
    }
  }
  out = std::move(read);
  return CKR_OK;
}

CK_RV read_public_half(token& of,
                       const lease& in,
                       CK_OBJECT_HANDLE handle,
                       const object_recipe& recipe,
                       std::optional<public_half::source> only,
                       time_point until,
                       public_half& out) {
  using source = public_half::source;
  for (const source from : {source::own_attribute, source::public_key, source::certificate}) {
    if (only && *only != from) continue;
    std::vector<bytes> halves;
    const CK_RV rv = read_public_halves(of, in, handle, recipe, from, until, halves);
    if (rv != CKR_OK) return rv;
    // Several that say different things say nothing of this key.
    const bool of_one_mind =
        !halves.empty() && std::count(halves.begin(), halves.end(), halves[0]) ==
                               static_cast<std::ptrdiff_t>(halves.size());
    if (!of_one_mind) continue;
    out.value = std::move(halves[0]);
    out.from = from;
    return CKR_OK;
  }
  out.from = source::none;
  return CKR_OK;
}

std::optional<CK_OBJECT_HANDLE> object::current_in(uint64_t life) const {
  std::lock_guard held(mutex_);
  if (!known_in(life)) return std::nullopt;
  return handle_;
}

bool object::is_settled_in(uint64_t life) const {
  std::lock_guard held(mutex_);
  return known_in(life) && !must_match_;
}

void object::seen(CK_OBJECT_HANDLE handle, uint64_t life) {
  std::lock_guard held(mutex_);
  if (known_in(life)) return;
  learn(handle, life);
  must_match_ = public_half_ && public_half_->from != public_half::source::none;
}

std::optional<public_half> object::known_public_half() const {
  std::lock_guard held(mutex_);
  return public_half_;
}

void object::expect(const public_half& half) {
  std::lock_guard held(mutex_);
  public_half_ = half;
}

void object::distrust() {
  std::lock_guard held(mutex_);
  if (on_token_) life_ = 0;  // never the number of one
}

void object::renamed(object_recipe recipe) {
  std::lock_guard held(mutex_);
  recipe_ = std::move(recipe);
  // What came from a companion of the old name is not to be found under the new one: learnt again.
  using source = public_half::source;
  const bool from_companion = public_half_ && (public_half_->from == source::public_key ||
                                               public_half_->from == source::certificate);
  if (from_companion) public_half_.reset();
}

CK_RV object::learn_public_half(const lease& in, time_point until) {
  CK_OBJECT_HANDLE handle = 0;
  object_recipe recipe;
  {
    std::lock_guard held(mutex_);
    if (public_half_) return CKR_OK;
    if (!known_in(in.life())) return CKR_OBJECT_HANDLE_INVALID;
    handle = handle_;
    recipe = recipe_;
  }
  public_half half;
  if (const CK_RV rv = read_public_half(token_, in, handle, recipe, std::nullopt, until, half);
      rv != CKR_OK)
    return rv;
  if (half.from == public_half::source::none) {
    log::event(log::level::warning,
               "unverifiable",
               "token",
               token_.identity().label,
               "key",
               std::string(recipe.label.begin(), recipe.label.end()),
               "reason",
               "neither a public key nor a certificate with its CKA_ID is in the token");
  }
  std::lock_guard held(mutex_);
  if (!public_half_) public_half_ = std::move(half);
  return CKR_OK;
}

CK_RV object::resolve(const lease& in, time_point until, CK_OBJECT_HANDLE& out) {
  std::optional<public_half> expected;
  object_recipe recipe;
  {
    std::lock_guard held(mutex_);
    out = handle_;
    if (known_in(in.life()) && !must_match_) return CKR_OK;
    if (known_in(in.life())) expected = public_half_;
    recipe = recipe_;
  }
  // No recovery brings it back: a value that does not ask for one.
  if (!on_token_) return verdict::object_gone;
  if (expected) {
    auto like = likeness::nothing;
    const CK_RV rv = compare(token_, in, out, recipe, *expected, until, like);
    if (rv != CKR_OK) return rv;
    if (like == likeness::same) {
      std::lock_guard held(mutex_);
      must_match_ = false;
      return CKR_OK;
    }
  }
  return search(in, until, out);
}

CK_RV object::search(const lease& in, time_point until, CK_OBJECT_HANDLE& out) {
  object_recipe wanted;
  std::optional<public_half> expected;
  {
    std::lock_guard held(mutex_);
    wanted = recipe_;
    expected = public_half_;
  }
  std::vector<CK_ATTRIBUTE> pattern{attribute(CKA_CLASS, wanted.object_class)};
  if (!wanted.id.empty()) pattern.push_back(attribute(CKA_ID, wanted.id));
  if (!wanted.label.empty()) pattern.push_back(attribute(CKA_LABEL, wanted.label));
  if (is_key(wanted.object_class) && wanted.key_type != CK_UNAVAILABLE_INFORMATION) {
    pattern.push_back(attribute(CKA_KEY_TYPE, wanted.key_type));
  }
  std::vector<CK_OBJECT_HANDLE> found;
  if (const CK_RV rv = find_all(token_, in, pattern, most_namesakes, until, found); rv != CKR_OK)
    return rv;
  if (found.empty()) {
    // A private object that nobody is logged in for is hidden, and no recovery shows it.
    const bool hidden =
        is_private_ && !token_.logged_in(face::front) && !token_.logged_in(face::private_abi);
    return hidden ? CKR_USER_NOT_LOGGED_IN : verdict::object_missing;
  }

  std::vector<CK_OBJECT_HANDLE> fitting;
  bool another = false;
  for (const CK_OBJECT_HANDLE candidate : found) {
    object_recipe name;
    if (const CK_RV rv = read_recipe(token_, in, candidate, until, name); rv != CKR_OK) return rv;
    if (name != wanted) continue;  // an empty id or label in the pattern matched more
    if (expected && expected->from != public_half::source::none) {
      auto like = likeness::nothing;
      const CK_RV rv = compare(token_, in, candidate, wanted, *expected, until, like);
      if (rv != CKR_OK) return rv;
      if (like != likeness::same) {
        // Nothing to compare with is no other key: what has it is not back yet.
        another = another || like == likeness::another;
        continue;
      }
    }
    fitting.push_back(candidate);
  }
  if (fitting.empty() && another) {
    log::event(log::level::error,
               "key_replaced",
               "token",
               token_.identity().label,
               "key",
               std::string(wanted.label.begin(), wanted.label.end()));
    return verdict::key_replaced;
  }
  if (fitting.empty()) return verdict::object_missing;
  // Two that cannot be told apart: using either might be using the wrong one.
  if (fitting.size() != 1) return CKR_OBJECT_HANDLE_INVALID;
  std::lock_guard held(mutex_);
  out = fitting[0];
  learn(out, in.life());
  must_match_ = false;
  return CKR_OK;
}

}  // namespace hsmtls::pkcs11
