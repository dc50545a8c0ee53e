#include "core/pkcs11/token/attributes.hpp"

#include <algorithm>

namespace hsmtls::pkcs11 {
namespace {

constexpr CK_ULONG largest_attribute = 1 << 20;
constexpr CK_ULONG handles_per_call = 32;

bool not_shown(CK_RV rv) {
  return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE;
}

}  // namespace

CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, bytes& value) {
  return {type, value.data(), static_cast<CK_ULONG>(value.size())};
}

CK_RV read_attribute(token& of,
                     const lease& in,
                     CK_OBJECT_HANDLE object,
                     CK_ATTRIBUTE_TYPE type,
                     time_point until,
                     bytes& out) {
  out.clear();
  const auto get = [&](CK_ATTRIBUTE& one) {
    return of.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
      return invoke(vendor.C_GetAttributeValue, session, object, &one, CK_ULONG{1});
    });
  };
  CK_ATTRIBUTE one{type, nullptr, 0};
  CK_RV rv = get(one);
  if (not_shown(rv)) return CKR_OK;
  if (rv != CKR_OK) return rv;
  if (one.ulValueLen == 0 || one.ulValueLen > largest_attribute) return CKR_OK;
  out.resize(one.ulValueLen);
  one.pValue = out.data();
  rv = get(one);
  out.resize(rv == CKR_OK ? std::min<size_t>(one.ulValueLen, out.size()) : 0);
  return not_shown(rv) ? CKR_OK : rv;
}

CK_RV begin_find(const CK_FUNCTION_LIST& vendor,
                 CK_SESSION_HANDLE session,
                 CK_ATTRIBUTE* pattern,
                 CK_ULONG count) {
  const CK_RV rv = invoke(vendor.C_FindObjectsInit, session, pattern, count);
  if (rv != CKR_OPERATION_ACTIVE) return rv;
  invoke(vendor.C_FindObjectsFinal, session);
  return invoke(vendor.C_FindObjectsInit, session, pattern, count);
}

CK_RV find_all(token& of,
               const lease& in,
               std::vector<CK_ATTRIBUTE> pattern,
               size_t most,
               time_point until,
               std::vector<CK_OBJECT_HANDLE>& out) {
  out.clear();
  CK_RV rv = of.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
    return begin_find(vendor, session, pattern.data(), static_cast<CK_ULONG>(pattern.size()));
  });
  if (rv != CKR_OK) return rv;
  for (;;) {
    CK_OBJECT_HANDLE found[handles_per_call];
    const auto wanted = std::min<CK_ULONG>(handles_per_call, most - out.size());
    CK_ULONG count = 0;
    rv = of.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
      return invoke(vendor.C_FindObjects, session, found, wanted, &count);
    });
    if (rv != CKR_OK) break;
    out.insert(out.end(), found, found + std::min(count, wanted));
    if (count == 0 || out.size() == most) break;
  }
  const CK_RV ended =
      of.call(in, until, [&](const CK_FUNCTION_LIST& vendor, CK_SESSION_HANDLE session) {
        return invoke(vendor.C_FindObjectsFinal, session);
      });
  const CK_RV answer = rv != CKR_OK ? rv : ended;
  // We did begin it: a session that knows nothing of it is not the one that we had.
  return answer == CKR_OPERATION_NOT_INITIALIZED ? CKR_SESSION_HANDLE_INVALID : answer;
}

}  // namespace hsmtls::pkcs11
