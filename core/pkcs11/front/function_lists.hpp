// The tables of function pointers that an application gets from us, and never the vendor's.
#pragma once

#include <span>

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11::front {

// `function_list` returns the v2.40 list.
CK_FUNCTION_LIST* function_list();

// `interfaces` returns what C_GetInterface offers, the default one first: v3.0 where a vendor's
// module has it, and v2.40.
std::span<CK_INTERFACE> interfaces();

// `offers_v3` tells whether any loaded vendor module has the v3.0 interface.
bool offers_v3();

}  // namespace hsmtls::pkcs11::front
