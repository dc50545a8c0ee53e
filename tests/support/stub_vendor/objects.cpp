// Objects, searching, key generation, wrapping.
#include <algorithm>

#include "mechanisms.hpp"
#include "stub_signature.hpp"
#include "vendor.hpp"

using namespace hsmtls::stub;

namespace {

template <class Body>
CK_RV with_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted, Body&& body) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    object* found = all.find_object(in, wanted);
    return found == nullptr ? CKR_OBJECT_HANDLE_INVALID : body(all, in, *found);
  });
}

bool bad_template(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  return attributes == nullptr && count != 0;
}

void apply(object& to, const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  for (CK_ULONG i = 0; i < count; ++i) to.set(attributes[i]);
}

// `make_secret` adds a secret key with the given value, as generating, unwrapping and deriving do.
CK_RV make_secret(vendor& all,
                  CK_SESSION_HANDLE creator,
                  const CK_ATTRIBUTE* attributes,
                  CK_ULONG count,
                  CK_KEY_TYPE type,
                  std::uint64_t seed,
                  const bytes* value,
                  CK_OBJECT_HANDLE_PTR out) {
  if (bad_template(attributes, count) || out == nullptr) return CKR_ARGUMENTS_BAD;
  auto made = std::make_shared<object>();
  apply(*made, attributes, count);
  made->set_default(CKA_CLASS, bytes_of(CK_ULONG{CKO_SECRET_KEY}));
  made->set_default(CKA_KEY_TYPE, bytes_of(type));
  if (value != nullptr) {
    made->set(CKA_VALUE, *value);
  } else {
    bytes random(std::min<CK_ULONG>(made->number(CKA_VALUE_LEN).value_or(32), 512));
    expand(seed, random.data(), random.size());
    made->set(CKA_VALUE, random);
  }
  made->set_default(CKA_VALUE_LEN, bytes_of(CK_ULONG{made->find(CKA_VALUE)->size()}));
  if (const CK_RV rv = add_defaults(*made); rv != CKR_OK) return rv;
  return all.add(creator, std::move(made), out);
}

CK_RV check_mechanism(const CK_MECHANISM* mechanism, CK_FLAGS use) {
  if (mechanism == nullptr) return CKR_ARGUMENTS_BAD;
  const mechanism_entry* known = find_mechanism(mechanism->mechanism);
  return known != nullptr && (known->flags & use) != 0 ? CKR_OK : CKR_MECHANISM_INVALID;
}

CK_BYTE pad_of(const object& key) {
  return static_cast<CK_BYTE>(key.mark | 1);
}

}  // namespace

extern "C" {

CK_RV C_CreateObject(CK_SESSION_HANDLE handle,
                     CK_ATTRIBUTE_PTR attributes,
                     CK_ULONG count,
                     CK_OBJECT_HANDLE_PTR out) {
  return in_session(handle, [&](vendor& all, session&) -> CK_RV {
    if (attributes == nullptr || out == nullptr) return CKR_ARGUMENTS_BAD;
    auto made = std::make_shared<object>();
    apply(*made, attributes, count);
    if (const CK_RV rv = add_defaults(*made); rv != CKR_OK) return rv;
    return all.add(handle, std::move(made), out);
  });
}

CK_RV C_CopyObject(CK_SESSION_HANDLE handle,
                   CK_OBJECT_HANDLE original,
                   CK_ATTRIBUTE_PTR attributes,
                   CK_ULONG count,
                   CK_OBJECT_HANDLE_PTR out) {
  return with_object(handle, original, [&](vendor& all, session&, object& found) -> CK_RV {
    if (bad_template(attributes, count) || out == nullptr) return CKR_ARGUMENTS_BAD;
    auto copy = std::make_shared<object>(found);
    apply(*copy, attributes, count);
    copy->refresh();
    return all.add(handle, std::move(copy), out);
  });
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE doomed) {
  return with_object(handle, doomed, [&](vendor& all, session& in, object& found) -> CK_RV {
    if (found.owner == 0 && !in.read_write) return CKR_SESSION_READ_ONLY;
    if (!found.flag(CKA_DESTROYABLE, true)) return CKR_ACTION_PROHIBITED;
    all.destroy(doomed);
    return CKR_OK;
  });
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted, CK_ULONG_PTR size) {
  return with_object(handle, wanted, [&](vendor&, session&, object& found) -> CK_RV {
    if (size == nullptr) return CKR_ARGUMENTS_BAD;
    *size = found.size();
    return CKR_OK;
  });
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle,
                          CK_OBJECT_HANDLE wanted,
                          CK_ATTRIBUTE_PTR attributes,
                          CK_ULONG count) {
  return with_object(handle, wanted, [&](vendor&, session&, object& found) -> CK_RV {
    if (bad_template(attributes, count)) return CKR_ARGUMENTS_BAD;
    return found.read(attributes, count);
  });
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE handle,
                          CK_OBJECT_HANDLE wanted,
                          CK_ATTRIBUTE_PTR attributes,
                          CK_ULONG count) {
  return with_object(handle, wanted, [&](vendor&, session& in, object& found) -> CK_RV {
    if (bad_template(attributes, count)) return CKR_ARGUMENTS_BAD;
    if (found.owner == 0 && !in.read_write) return CKR_SESSION_READ_ONLY;
    if (!found.flag(CKA_MODIFIABLE, true)) return CKR_ACTION_PROHIBITED;
    for (CK_ULONG i = 0; i < count; ++i) {
      const CK_ATTRIBUTE_TYPE type = attributes[i].type;
      if (type == CKA_CLASS || type == CKA_KEY_TYPE || type == CKA_TOKEN || type == CKA_LOCAL) {
        return CKR_ATTRIBUTE_READ_ONLY;
      }
    }
    apply(found, attributes, count);
    found.refresh();
    return CKR_OK;
  });
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR attributes, CK_ULONG count) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    if (bad_template(attributes, count)) return CKR_ARGUMENTS_BAD;
    if (in.search) return CKR_OPERATION_ACTIVE;
    in.search = all.search(in, attributes, count);
    // Handed out from the back.
    std::reverse(in.search->begin(), in.search->end());
    return CKR_OK;
  });
}

CK_RV C_FindObjects(CK_SESSION_HANDLE handle,
                    CK_OBJECT_HANDLE_PTR out,
                    CK_ULONG max,
                    CK_ULONG_PTR found) {
  return in_session(handle, [&](vendor&, session& in) -> CK_RV {
    if (!in.search) return CKR_OPERATION_NOT_INITIALIZED;
    if (out == nullptr || found == nullptr) return CKR_ARGUMENTS_BAD;
    for (*found = 0; *found < max && !in.search->empty(); ++*found) {
      out[*found] = in.search->back();
      in.search->pop_back();
    }
    return CKR_OK;
  });
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle) {
  return in_session(handle, [](vendor&, session& in) -> CK_RV {
    if (!in.search) return CKR_OPERATION_NOT_INITIALIZED;
    in.search.reset();
    return CKR_OK;
  });
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE handle,
                    CK_MECHANISM_PTR mechanism,
                    CK_ATTRIBUTE_PTR attributes,
                    CK_ULONG count,
                    CK_OBJECT_HANDLE_PTR out) {
  return in_session(handle, [&](vendor& all, session&) -> CK_RV {
    if (const CK_RV rv = check_mechanism(mechanism, CKF_GENERATE); rv != CKR_OK) return rv;
    const CK_KEY_TYPE type = find_mechanism(mechanism->mechanism)->key_type;
    return make_secret(all, handle, attributes, count, type, all.random(), nullptr, out);
  });
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE handle,
                        CK_MECHANISM_PTR mechanism,
                        CK_ATTRIBUTE_PTR public_attributes,
                        CK_ULONG public_count,
                        CK_ATTRIBUTE_PTR private_attributes,
                        CK_ULONG private_count,
                        CK_OBJECT_HANDLE_PTR out_public,
                        CK_OBJECT_HANDLE_PTR out_private) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    if (bad_template(public_attributes, public_count) ||
        bad_template(private_attributes, private_count) || out_public == nullptr ||
        out_private == nullptr) {
      return CKR_ARGUMENTS_BAD;
    }
    if (const CK_RV rv = check_mechanism(mechanism, CKF_GENERATE_KEY_PAIR); rv != CKR_OK) return rv;
    auto public_key = std::make_shared<object>();
    auto private_key = std::make_shared<object>();
    apply(*public_key, public_attributes, public_count);
    apply(*private_key, private_attributes, private_count);
    public_key->set(CKA_CLASS, bytes_of(CK_ULONG{CKO_PUBLIC_KEY}));
    private_key->set(CKA_CLASS, bytes_of(CK_ULONG{CKO_PRIVATE_KEY}));
    for (object* half : {public_key.get(), private_key.get()}) {
      half->set(CKA_KEY_TYPE, bytes_of(find_mechanism(mechanism->mechanism)->key_type));
    }
    if (const CK_RV rv = make_key_pair(*public_key, *private_key, all.random()); rv != CKR_OK) {
      return rv;
    }
    for (object* half : {public_key.get(), private_key.get()}) {
      if (const CK_RV rv = add_defaults(*half); rv != CKR_OK) return rv;
    }
    // Both or none.
    if (private_key->is_private && !all.may_see(in, *private_key)) return CKR_USER_NOT_LOGGED_IN;
    if (private_key->flag(CKA_TOKEN) && !in.read_write) return CKR_SESSION_READ_ONLY;
    if (const CK_RV rv = all.add(handle, public_key, out_public); rv != CKR_OK) return rv;
    return all.add(handle, private_key, out_private);
  });
}

CK_RV C_WrapKey(CK_SESSION_HANDLE handle,
                CK_MECHANISM_PTR mechanism,
                CK_OBJECT_HANDLE wrapping,
                CK_OBJECT_HANDLE wrapped,
                CK_BYTE_PTR out,
                CK_ULONG_PTR out_len) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    if (out_len == nullptr) return CKR_ARGUMENTS_BAD;
    if (const CK_RV rv = check_mechanism(mechanism, CKF_WRAP); rv != CKR_OK) return rv;
    const object* with = all.find_object(in, wrapping);
    if (with == nullptr) return CKR_WRAPPING_KEY_HANDLE_INVALID;
    const object* key = all.find_object(in, wrapped);
    if (key == nullptr) return CKR_KEY_HANDLE_INVALID;
    const bytes* value = key->find(CKA_VALUE);
    if (value == nullptr || !key->flag(CKA_EXTRACTABLE)) return CKR_KEY_UNEXTRACTABLE;
    const CK_ULONG room = *out_len;
    *out_len = value->size();
    if (out == nullptr) return CKR_OK;
    if (room < value->size()) return CKR_BUFFER_TOO_SMALL;
    for (const CK_BYTE each : *value) *out++ = each ^ pad_of(*with);
    return CKR_OK;
  });
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE handle,
                  CK_MECHANISM_PTR mechanism,
                  CK_OBJECT_HANDLE unwrapping,
                  CK_BYTE_PTR wrapped,
                  CK_ULONG wrapped_len,
                  CK_ATTRIBUTE_PTR attributes,
                  CK_ULONG count,
                  CK_OBJECT_HANDLE_PTR out) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    if (wrapped == nullptr) return CKR_ARGUMENTS_BAD;
    if (const CK_RV rv = check_mechanism(mechanism, CKF_UNWRAP); rv != CKR_OK) return rv;
    const object* with = all.find_object(in, unwrapping);
    if (with == nullptr) return CKR_UNWRAPPING_KEY_HANDLE_INVALID;
    bytes value(wrapped, wrapped + wrapped_len);
    for (std::uint8_t& each : value) each ^= pad_of(*with);
    return make_secret(all, handle, attributes, count, CKK_GENERIC_SECRET, 0, &value, out);
  });
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE handle,
                  CK_MECHANISM_PTR mechanism,
                  CK_OBJECT_HANDLE base,
                  CK_ATTRIBUTE_PTR attributes,
                  CK_ULONG count,
                  CK_OBJECT_HANDLE_PTR out) {
  return in_session(handle, [&](vendor& all, session& in) -> CK_RV {
    if (const CK_RV rv = check_mechanism(mechanism, CKF_DERIVE); rv != CKR_OK) return rv;
    const object* from = all.find_object(in, base);
    if (from == nullptr) return CKR_KEY_HANDLE_INVALID;
    const std::uint64_t seed = signature_seed(from->mark, mechanism->mechanism);
    return make_secret(all, handle, attributes, count, CKK_GENERIC_SECRET, seed, nullptr, out);
  });
}

}  // extern "C"
