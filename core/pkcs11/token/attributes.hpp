// Reading attributes and searching, in a borrowed session.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/pkcs11/token/token.hpp"

namespace hsmtls::pkcs11 {

using bytes = std::vector<uint8_t>;

// `read_attribute` reads one attribute of any length (PKCS#11 v3.1 C_GetAttributeValue: length
// first, then value). An attribute that the object does not have, or does not show, is empty and
// CKR_OK.
CK_RV read_attribute(token& of,
                     const lease& in,
                     CK_OBJECT_HANDLE object,
                     CK_ATTRIBUTE_TYPE type,
                     time_point until,
                     bytes& out);

// `begin_find` calls C_FindObjectsInit in a real session in which nobody searches. Not every vendor
// ends a search whose call failed: one that is left over is ended.
CK_RV begin_find(const CK_FUNCTION_LIST& vendor,
                 CK_SESSION_HANDLE session,
                 CK_ATTRIBUTE* pattern,
                 CK_ULONG count);

// `find_all` returns the handles of all objects that `pattern` matches, at most `most`.
CK_RV find_all(token& of,
               const lease& in,
               std::vector<CK_ATTRIBUTE> pattern,
               size_t most,
               time_point until,
               std::vector<CK_OBJECT_HANDLE>& out);

// `attribute` builds one template entry that points at `value`.
template <class Value>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, Value& value) {
  return {type, &value, sizeof value};
}
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, bytes& value);

}  // namespace hsmtls::pkcs11
