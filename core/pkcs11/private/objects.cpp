#include "core/pkcs11/private/objects.hpp"

#include <algorithm>

#include "core/pkcs11/private/token_use.hpp"
#include "core/pkcs11/uri/near_miss.hpp"

namespace hsmtls::pkcs11 {
namespace {

constexpr size_t most_shown = 10'000;

// Shows one object to `each`, with its value if it is a certificate.
void show(const present_token& where,
          const found_object& one,
          hsmtls_p11_object_fn each,
          void* user,
          time_point until) {
  const std::string its_uri = uri_for(where, one.recipe);
  const std::string label(one.recipe.label.begin(), one.recipe.label.end());
  bytes value;
  hsmtls_p11_object_info info{};
  const bool certificate = one.recipe.object_class == CKO_CERTIFICATE;
  if (certificate || one.recipe.object_class == CKO_PRIVATE_KEY) {
    token& behind = *where.behind;
    object what(behind, one.recipe, one.handle, one.life);
    const CK_RV rv = behind.with_recovery(until, repeat::freely, [&](uint64_t& life) -> CK_RV {
      lease in;
      if (const CK_RV got = behind.borrow(false, until, in, life); got != CKR_OK) return got;
      CK_OBJECT_HANDLE handle = 0;
      if (const CK_RV got = what.resolve(in, until, handle); got != CKR_OK) return got;
      if (!certificate) return read_key_flags(behind, in, handle, until, info.flags);
      return read_attribute(behind, in, handle, CKA_VALUE, until, value);
    });
    check(rv, "read the object " + quoted_name(label));
  }
  info.uri = its_uri.c_str();
  info.object_class = one.recipe.object_class;
  info.key_type =
      one.recipe.key_type == CK_UNAVAILABLE_INFORMATION ? UINT64_MAX : one.recipe.key_type;
  info.label = label.c_str();
  info.id = one.recipe.id.data();
  info.id_len = static_cast<uint32_t>(one.recipe.id.size());
  info.value = value.data();
  info.value_len = static_cast<uint32_t>(value.size());
  each(user, &info);
}

bytes bytes_from(const uint8_t* start, uint32_t length) {
  return start == nullptr ? bytes{} : bytes(start, start + length);
}

}  // namespace

void list_tokens(hsmtls_p11_token_fn each, void* user, time_point until) {
  const runtime_use use;
  for (const present_token& one : all_tokens(use.modules(), true, until)) {
    const token_description is = one.description();
    uri named;
    if (is.label.empty()) {
      named.slot_id = one.slot;
    } else {
      named.token = is.label;
      named.serial = is.serial;
    }
    const std::string its_uri = build_uri(named);
    const hsmtls_p11_token_info info{its_uri.c_str(),
                                     is.label.c_str(),
                                     is.serial.c_str(),
                                     is.model.c_str(),
                                     is.manufacturer.c_str(),
                                     one.behind->module().path().c_str(),
                                     one.slot,
                                     one.info.flags};
    each(user, &info);
  }
}

void list_objects(const char* uri_text,
                  const hsmtls_p11_login* login,
                  hsmtls_p11_object_fn each,
                  void* user,
                  time_point until) {
  const opened_token in(uri_text, login, opened_token::login::if_there_is_a_pin, until);
  for (const found_object& one : search(in.where, in.wanted, std::nullopt, most_shown, until))
    show(in.where, one, each, user, until);
}

void list_certificates(key& of, hsmtls_p11_object_fn each, void* user, time_point until) {
  const key::binding at = of.bound(until);
  auto found = search(at.where, uri{}, CKO_CERTIFICATE, most_shown, until);
  std::stable_partition(found.begin(), found.end(), [&](const found_object& one) {
    return one.recipe.id == of.description().id;
  });
  for (const found_object& one : found) show(at.where, one, each, user, until);
}

void import_certificate(const char* uri_text,
                        const hsmtls_p11_certificate& certificate,
                        const hsmtls_p11_login* login,
                        time_point until) {
  if (certificate.value == nullptr || certificate.value_len == 0)
    throw failure(HSMTLS_P11_BAD_ARGUMENT, "no certificate was given");
  const opened_token in(uri_text, login, opened_token::login::required, until);
  if (in.wanted.type && *in.wanted.type != object_type::certificate) {
    throw failure(HSMTLS_P11_BAD_ARGUMENT, "the URI of a certificate has type=cert, or no type");
  }
  CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
  CK_CERTIFICATE_TYPE type = CKC_X_509;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  bytes value = bytes_from(certificate.value, certificate.value_len);
  bytes subject = bytes_from(certificate.subject, certificate.subject_len);
  bytes issuer = bytes_from(certificate.issuer, certificate.issuer_len);
  bytes serial = bytes_from(certificate.serial_number, certificate.serial_number_len);
  const std::string name = in.wanted.object.value_or("");
  bytes label(name.begin(), name.end());
  bytes id = in.wanted.id.value_or(bytes{});
  std::vector<CK_ATTRIBUTE> pattern{attribute(CKA_CLASS, object_class),
                                    attribute(CKA_CERTIFICATE_TYPE, type),
                                    attribute(CKA_TOKEN, yes),
                                    attribute(CKA_PRIVATE, no),
                                    attribute(CKA_SUBJECT, subject),
                                    attribute(CKA_ISSUER, issuer),
                                    attribute(CKA_SERIAL_NUMBER, serial),
                                    attribute(CKA_VALUE, value),
                                    attribute(CKA_LABEL, label),
                                    attribute(CKA_ID, id)};
  // The same certificate again is no mistake, and no second object.
  for (const found_object& one : search(in.where, in.wanted, CKO_CERTIFICATE, most_shown, until)) {
    bool same = false;
    struct context {
      const bytes& value;
      bool& same;
    } with{value, same};
    show(
        in.where,
        one,
        [](void* user, const hsmtls_p11_object_info* info) {
          auto* its = static_cast<context*>(user);
          its->same = std::equal(
              its->value.begin(), its->value.end(), info->value, info->value + info->value_len);
        },
        &with,
        until);
    if (same) return;
  }
  const auto store = [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
    CK_OBJECT_HANDLE made = 0;
    return invoke(vendor.C_CreateObject,
                  session,
                  pattern.data(),
                  static_cast<CK_ULONG>(pattern.size()),
                  &made);
  };
  check(change_token(in.behind(), until, store),
        "store the certificate in token " + in.where.quoted_label());
}

void remove_object(const char* uri_text, const hsmtls_p11_login* login, time_point until) {
  // Before any PIN is sent.
  if (!parse_or_throw(uri_text).type) {
    throw failure(HSMTLS_P11_BAD_ARGUMENT,
                  "the URI of what is to be removed must have a type: type=cert, type=private or "
                  "type=public");
  }
  const opened_token in(uri_text, login, opened_token::login::required, until);
  const auto found = search(in.where, in.wanted, std::nullopt, most_candidates, until);
  if (found.size() > 1) {
    std::vector<located_object> all;
    for (const found_object& one : found) all.push_back({in.where.description(), one.attributes()});
    throw failure(HSMTLS_P11_AMBIGUOUS, ambiguous_objects(in.wanted, all));
  }
  if (found.empty()) throw_not_found("nothing to remove: ", in.wanted, in.where, until);
  token& behind = in.behind();
  object what(behind, found[0].recipe, CK_OBJECT_HANDLE{0}, uint64_t{0});
  const CK_RV rv = behind.with_recovery(until, repeat::if_rejected, [&](uint64_t& life) -> CK_RV {
    lease session;
    if (const CK_RV got = behind.borrow(true, until, session, life); got != CKR_OK) return got;
    CK_OBJECT_HANDLE handle = 0;
    if (const CK_RV got = what.resolve(session, until, handle); got != CKR_OK) return got;
    return behind.call_once(
        session, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE in_session) {
          return invoke(vendor.C_DestroyObject, in_session, handle);
        });
  });
  check(rv, "remove the object from token " + in.where.quoted_label());
}

}  // namespace hsmtls::pkcs11
