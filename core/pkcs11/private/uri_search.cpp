#include "core/pkcs11/private/uri_search.hpp"

#include <algorithm>

#include "core/pkcs11/base/configuration.hpp"
#include "core/pkcs11/base/log.hpp"
#include "core/pkcs11/uri/near_miss.hpp"

namespace hsmtls::pkcs11 {
namespace {

// Whether the URI fits a token, asking the vendor only for what the URI speaks of.
bool fits(const uri& wanted, const present_token& one, time_point until) {
  if (!matches_token(wanted, one.info)) return false;
  const bool of_slot = wanted.slot_description || wanted.slot_manufacturer;
  const bool of_library =
      wanted.library_description || wanted.library_manufacturer || wanted.library_version;
  CK_SLOT_INFO slot{};
  CK_INFO library{};
  const auto ask = [&](const CK_FUNCTION_LIST& vendor) -> CK_RV {
    const CK_RV rv =
        of_slot ? invoke(vendor.C_GetSlotInfo, one.behind->slot(), &slot) : CK_RV{CKR_OK};
    return rv == CKR_OK && of_library ? invoke(vendor.C_GetInfo, &library) : rv;
  };
  if (of_slot || of_library) {
    check(one.behind->module().call(until, ask),
          "ask for the slot and the library of token " + one.quoted_label());
  }
  return matches_slot(wanted, one.slot, slot) && matches_library(wanted, library);
}

bool has_pin_pad(const present_token& where) {
  return (where.info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

}  // namespace

uri parse_or_throw(const char* text) {
  if (text == nullptr) throw failure(HSMTLS_P11_BAD_ARGUMENT, "no URI was given");
  auto parsed = parse_uri(text);
  if (!parsed)
    throw failure(HSMTLS_P11_MALFORMED_URI, "the URI is not usable: " + parsed.problem.message);
  if (parsed.value->module_name || parsed.value->module_path) {
    log::event(log::level::warning,
               "module-in-uri",
               "ignored",
               parsed.value->module_path ? *parsed.value->module_path : *parsed.value->module_name,
               "advice",
               "HSMTLS_MODULE says which modules are used");
  }
  return *std::move(parsed.value);
}

std::string only_module_of(const hsmtls_p11_login* login) {
  return login != nullptr && login->module != nullptr ? login->module : "";
}

std::vector<present_token> all_tokens(const modules_list& in, bool with_token, time_point until) {
  std::vector<runtime::slot> slots;
  check(runtime::current().slots(in, with_token, until, slots), "list the tokens");
  std::vector<present_token> all;
  for (const runtime::slot& one : slots) {
    present_token here{one.behind, one.id, {}};
    const CK_RV rv = one.behind->module().call(until, [&](const CK_FUNCTION_LIST& vendor) {
      return read_token_info(vendor, one.behind->slot(), here.info);
    });
    if (rv == CKR_OK) all.push_back(here);
  }
  return all;
}

std::vector<present_token> tokens_of(const modules_list& in, const uri& wanted, time_point until) {
  const auto all = all_tokens(in, true, until);
  std::vector<present_token> fitting;
  for (const present_token& one : all) {
    const bool initialised = (one.info.flags & CKF_TOKEN_INITIALIZED) != 0;
    if (initialised && fits(wanted, one, until)) fitting.push_back(one);
  }
  if (!fitting.empty()) return fitting;
  std::vector<token_description> present;
  for (const present_token& one : all) {
    if ((one.info.flags & CKF_TOKEN_INITIALIZED) != 0) present.push_back(one.description());
  }
  throw failure(HSMTLS_P11_TOKEN_NOT_FOUND,
                "the URI fits no token: " + token_near_miss(wanted, present));
}

present_token one_token_of(const modules_list& in, const uri& wanted, time_point until) {
  const auto fitting = tokens_of(in, wanted, until);
  if (fitting.size() == 1) return fitting[0];
  std::vector<token_description> all;
  for (const present_token& one : fitting) all.push_back(one.description());
  throw failure(HSMTLS_P11_AMBIGUOUS, ambiguous_tokens(wanted, all));
}

bool can_log_in(const present_token& where, const pin_provider& pins) {
  return has_pin_pad(where) ? pins.pad_usable() : pins.usable();
}

void log_in(const present_token& where, pin_provider& pins, time_point until) {
  token& behind = *where.behind;
  const bool logged_in = behind.logged_in(face::private_abi).has_value();
  const std::string label = where.label();
  const std::string doing = "log in to token " + where.quoted_label();
  if (has_pin_pad(where)) {
    if (logged_in) return;
    if (!pins.pad_usable()) check(CKR_USER_NOT_LOGGED_IN, doing);
    const CK_RV rv = behind.login(face::private_abi, CKU_USER, {}, until);
    if (rv != CKR_USER_ALREADY_LOGGED_IN) check(rv, doing);
    return;
  }
  if (logged_in && pins.is_accepted()) return;
  std::optional<secret> pin;
  if (pins.usable()) pin = pins.get(label);
  if (logged_in) {
    const auto right = pin ? behind.is_known_pin(pin->bytes()) : std::nullopt;
    if (right == false) check(CKR_PIN_INCORRECT, doing);
    if (right == true) pins.accepted();
    return;
  }
  // An empty one would only cost a try.
  if (!pin || pin->bytes().empty()) {
    throw failure(HSMTLS_P11_PIN_REQUIRED,
                  "token " + where.quoted_label() +
                      " wants a PIN: give one, name where it is with pin-source=file:… in the "
                      "URI, or set HSMTLS_PIN_SOURCE");
  }
  const CK_RV rv = behind.login(face::private_abi, CKU_USER, pins.credentials_with(*pin), until);
  if (rv == CKR_OK) pins.accepted();
  // Somebody else in the process logged in: whether our PIN is right is not known, but it is not
  // needed.
  if (rv != CKR_USER_ALREADY_LOGGED_IN) check(rv, doing);
}

std::vector<found_object> search(const present_token& where,
                                 const uri& wanted,
                                 std::optional<CK_OBJECT_CLASS> fallback,
                                 size_t most,
                                 time_point until) {
  CK_OBJECT_CLASS object_class = wanted.type ? class_of(*wanted.type) : fallback.value_or(CKO_DATA);
  bytes label;
  bytes id;
  std::vector<CK_ATTRIBUTE> pattern;
  if (wanted.type || fallback) pattern.push_back(attribute(CKA_CLASS, object_class));
  if (wanted.object) {
    label.assign(wanted.object->begin(), wanted.object->end());
    pattern.push_back(attribute(CKA_LABEL, label));
  }
  if (wanted.id) {
    id = *wanted.id;
    pattern.push_back(attribute(CKA_ID, id));
  }
  std::vector<found_object> found;
  token& behind = *where.behind;
  const CK_RV rv = behind.with_recovery(until, repeat::freely, [&](uint64_t& life) -> CK_RV {
    found.clear();
    lease in;
    if (const CK_RV got = behind.borrow(false, until, in, life); got != CKR_OK) return got;
    std::vector<CK_OBJECT_HANDLE> handles;
    if (const CK_RV got = find_all(behind, in, pattern, most, until, handles); got != CKR_OK)
      return got;
    for (const CK_OBJECT_HANDLE one : handles) {
      found_object here{one, in.life(), {}};
      if (const CK_RV got = read_recipe(behind, in, one, until, here.recipe); got != CKR_OK)
        return got;
      // Exactly these names: some modules compare prefixes, or take an empty value for any.
      if (matches_object(wanted, here.attributes())) found.push_back(std::move(here));
    }
    return CKR_OK;
  });
  check(rv, "search token " + where.quoted_label());
  return found;
}

void throw_not_found(const std::string& beginning,
                     const uri& wanted,
                     const present_token& where,
                     time_point until) {
  std::vector<object_attributes> present;
  for (const found_object& one : search(where, uri{}, std::nullopt, most_near_misses, until))
    present.push_back(one.attributes());
  const bool all_seen = where.behind->logged_in(face::private_abi).has_value();
  throw failure(HSMTLS_P11_OBJECT_NOT_FOUND,
                beginning + object_near_miss(wanted,
                                             where.description(),
                                             present,
                                             all_seen ? visibility::all_objects
                                                      : visibility::public_objects_only));
}

std::vector<found_object> public_companions(const present_token& where,
                                            const object_recipe& key,
                                            time_point until) {
  uri wanted;
  wanted.type = object_type::public_key;
  if (!key.id.empty()) {
    wanted.id = key.id;
  } else {
    wanted.object = std::string(key.label.begin(), key.label.end());
  }
  return search(where, wanted, std::nullopt, 2, until);
}

std::string uri_for(const present_token& where, const object_recipe& recipe) {
  uri out;
  out.token = unpadded(where.info.label);
  out.serial = unpadded(where.info.serialNumber);
  if (!recipe.label.empty()) out.object = std::string(recipe.label.begin(), recipe.label.end());
  if (!recipe.id.empty()) out.id = recipe.id;
  out.type = type_of(recipe.object_class);
  return build_uri(out);
}

}  // namespace hsmtls::pkcs11
