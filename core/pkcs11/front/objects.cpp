// C_CreateObject to C_FindObjectsFinal (PKCS#11 v3.1 section 5.7).
#include <algorithm>
#include <span>

#include "core/pkcs11/front/functions.hpp"
#include "core/pkcs11/front/made_objects.hpp"
#include "core/pkcs11/front/operations.hpp"

namespace hsmtls::pkcs11::front {
namespace {

// An application may ask for more at once than there is memory for.
constexpr CK_ULONG handles_at_once = 512;

// `on_object` makes one call about one object: run(vendor_module&, session, real handle).
template <class Run>
CK_RV on_object(session_call& call, CK_OBJECT_HANDLE handle, repeat how, Run&& run) {
  std::shared_ptr<object> what;
  if (const CK_RV rv = checked_object(call, handle, CKR_OBJECT_HANDLE_INVALID, what); rv != CKR_OK)
    return rv;
  CK_OBJECT_HANDLE real = 0;
  return direct(
      call,
      how,
      [&] { return resolve_in(call, *what, real); },
      [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
        return run(vendor, session, real);
      });
}

CK_RV begin_search(session_call& call, CK_ATTRIBUTE* pattern, CK_ULONG count) {
  virtual_session& session = call.session;
  if (session.runs(operation::find)) return CKR_OPERATION_ACTIVE;
  std::vector<CK_ATTRIBUTE> narrowed;
  if (session.through() != nullptr) {
    if (pattern != nullptr) narrowed.assign(pattern, pattern + count);
    session.through()->narrow(narrowed);
    pattern = narrowed.data();
    count = static_cast<CK_ULONG>(narrowed.size());
  }
  const CK_RV rv =
      direct(call, repeat::freely, [&](const vendor_module& vendor, CK_SESSION_HANDLE real) {
        return begin_find(vendor.functions(), real, pattern, count);
      });
  if (rv == CKR_OK) session.started(operation::find, {});
  return rv;
}

// The application's handles for what the vendor found; what is not for this session to see is left
// out.
CK_RV adopt_found(session_call& call,
                  const CK_OBJECT_HANDLE* found,
                  CK_ULONG count,
                  CK_OBJECT_HANDLE* out,
                  CK_ULONG& kept) {
  const bool logged_in = call.session.logged_in().has_value();
  const view* const through = call.session.through();
  kept = 0;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_OBJECT_HANDLE handle = 0;
    const CK_RV rv = call.app.objects.adopt(
        call.behind(), call.session.real(), found[i], false, call.handle, call.until, handle);
    if (rv == CKR_OBJECT_HANDLE_INVALID) continue;  // destroyed since it was found
    if (rv != CKR_OK) return rv;
    const auto what = call.app.objects.find(handle);
    if (what == nullptr || (what->is_private() && !logged_in) || !call.session.shows(*what))
      continue;
    if (through != nullptr && what->object_class() == CKO_PRIVATE_KEY &&
        through->known_public_half() && !what->known_public_half())
      what->expect(*through->known_public_half());
    out[kept++] = handle;
  }
  return CKR_OK;
}

// In a view the login for each operation is made by us.
void hide_login_each_time(std::span<CK_ATTRIBUTE> read) {
  for (const CK_ATTRIBUTE& one : read) {
    const bool has_value =
        one.pValue != nullptr && one.ulValueLen != CK_UNAVAILABLE_INFORMATION && one.ulValueLen > 0;
    if (one.type == CKA_ALWAYS_AUTHENTICATE && has_value)
      *static_cast<CK_BBOOL*>(one.pValue) = CK_FALSE;
  }
}

// An object may be called something else once its attributes were set.
void note_new_name(session_call& call,
                   CK_OBJECT_HANDLE handle,
                   CK_OBJECT_HANDLE real,
                   std::span<const CK_ATTRIBUTE> set) {
  const auto what = call.app.objects.find(handle);
  if (what == nullptr) return;
  object_recipe name;
  if (read_recipe(call.behind(), call.session.real(), real, call.until, name) != CKR_OK) {
    // The token was lost just now. What was set is what we shall look for.
    name = what->recipe();
    for (const CK_ATTRIBUTE& one : set) {
      if (one.type != CKA_LABEL && one.type != CKA_ID) continue;
      const auto* value = static_cast<const uint8_t*>(one.pValue);
      (one.type == CKA_LABEL ? name.label : name.id).assign(value, value + one.ulValueLen);
    }
  }
  call.app.objects.renamed(handle, std::move(name));
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the standard's names.

CK_RV C_CreateObject(CK_SESSION_HANDLE handle,
                     CK_ATTRIBUTE* pattern,
                     CK_ULONG count,
                     CK_OBJECT_HANDLE* out) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (out == nullptr) return CKR_ARGUMENTS_BAD;
    return make_object(
        call,
        *out,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE& made) {
          return invoke(vendor.functions().C_CreateObject, session, pattern, count, &made);
        });
  });
}

CK_RV C_CopyObject(CK_SESSION_HANDLE handle,
                   CK_OBJECT_HANDLE original,
                   CK_ATTRIBUTE* pattern,
                   CK_ULONG count,
                   CK_OBJECT_HANDLE* out) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (out == nullptr) return CKR_ARGUMENTS_BAD;
    std::shared_ptr<object> what;
    if (const CK_RV rv = checked_object(call, original, CKR_OBJECT_HANDLE_INVALID, what);
        rv != CKR_OK)
      return rv;
    CK_OBJECT_HANDLE real = 0;
    return make_object(
        call,
        *out,
        [&] { return resolve_in(call, *what, real); },
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE& made) {
          return invoke(vendor.functions().C_CopyObject, session, real, pattern, count, &made);
        });
  });
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE target) {
  return in_session(handle, [&](session_call& call) {
    const CK_RV rv = on_object(
        call,
        target,
        repeat::if_rejected,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE real) {
          return invoke(vendor.functions().C_DestroyObject, session, real);
        });
    if (rv == CKR_OK && call.app.objects.remove(target) == handle)
      call.session.session_object_destroyed();
    return rv;
  });
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE target, CK_ULONG* size) {
  return in_session(handle, [&](session_call& call) {
    return on_object(
        call,
        target,
        repeat::freely,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE real) {
          return invoke(vendor.functions().C_GetObjectSize, session, real, size);
        });
  });
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle,
                          CK_OBJECT_HANDLE target,
                          CK_ATTRIBUTE* attributes,
                          CK_ULONG count) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (attributes == nullptr || count == 0) return CKR_ARGUMENTS_BAD;
    const std::vector<CK_ATTRIBUTE> asked(attributes, attributes + count);
    return on_object(
        call,
        target,
        repeat::freely,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE real) {
          // The lengths are in and out: each try starts from what the application gave.
          std::copy(asked.begin(), asked.end(), attributes);
          const CK_RV rv =
              invoke(vendor.functions().C_GetAttributeValue, session, real, attributes, count);
          if (call.session.through() != nullptr) hide_login_each_time({attributes, count});
          return rv;
        });
  });
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE handle,
                          CK_OBJECT_HANDLE target,
                          CK_ATTRIBUTE* attributes,
                          CK_ULONG count) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    CK_OBJECT_HANDLE changed = 0;
    const CK_RV rv = on_object(
        call,
        target,
        repeat::if_rejected,
        [&](const vendor_module& vendor, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE real) {
          changed = real;
          return invoke(vendor.functions().C_SetAttributeValue, session, real, attributes, count);
        });
    if (rv != CKR_OK) return rv;
    note_new_name(call, target, changed, {attributes, count});
    return CKR_OK;
  });
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE* pattern, CK_ULONG count) {
  return in_session(handle, [&](session_call& call) { return begin_search(call, pattern, count); });
}

CK_RV C_FindObjects(CK_SESSION_HANDLE handle,
                    CK_OBJECT_HANDLE* out,
                    CK_ULONG most,
                    CK_ULONG* count) {
  return in_session(handle, [&](session_call& call) -> CK_RV {
    if (count == nullptr || (out == nullptr && most > 0)) return CKR_ARGUMENTS_BAD;
    *count = 0;
    if (most == 0) return CKR_OK;
    std::vector<CK_OBJECT_HANDLE> found(std::min(most, handles_at_once));
    for (;;) {
      const CK_ULONG wanted = std::min<CK_ULONG>(most - *count, found.size());
      CK_ULONG got = 0;
      CK_RV rv = part(
          call, operation::find, {}, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
            return invoke(vendor.functions().C_FindObjects, session, found.data(), wanted, &got);
          });
      CK_ULONG kept = 0;
      if (rv == CKR_OK)
        rv = adopt_found(call, found.data(), std::min(got, wanted), out + *count, kept);
      if (rv != CKR_OK) {
        *count = 0;
        return lost_in_operation(call, operation::find, rv);
      }
      *count += kept;
      // An application may take fewer than it asked for as the end: they are, if the vendor gave
      // fewer.
      if (got < wanted || *count == most) return CKR_OK;
    }
  });
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle) {
  return in_session(handle, [&](session_call& call) {
    return finish(
        call, operation::find, {}, [&](const vendor_module& vendor, CK_SESSION_HANDLE session) {
          return invoke(vendor.functions().C_FindObjectsFinal, session);
        });
  });
}

// NOLINTEND(readability-identifier-naming)

}  // namespace hsmtls::pkcs11::front
