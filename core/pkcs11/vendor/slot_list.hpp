// A vendor's list of slots, asked for in the two calls that the standard wants.
#pragma once

#include <vector>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11 {

// More slots than this are taken for nonsense.
inline constexpr CK_ULONG most_slots = 1 << 16;

// `list_slots` asks a vendor for its slots, or for those `with_token` only, and lets it look for
// new ones. A vendor that names more than `most_slots` gives CKR_GENERAL_ERROR; one that wants a
// longer list each time, its own CKR_BUFFER_TOO_SMALL after a few tries. `out` is empty unless the
// answer is CKR_OK. Makes vendor calls: to be called where those are allowed.
CK_RV list_slots(const CK_FUNCTION_LIST& vendor, bool with_token, std::vector<CK_SLOT_ID>& out);

}  // namespace hsmtls::pkcs11
