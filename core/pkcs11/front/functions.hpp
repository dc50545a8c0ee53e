// Every function of PKCS#11 v3.0 as this module answers it, declared from the standard's own list.
// They sit in a namespace: only the function lists lead to them.
#pragma once

#include "core/pkcs11/base/ck.hpp"

namespace hsmtls::pkcs11::front {

#define CK_PKCS11_3_0 1
#define CK_NEED_ARG_LIST 1
#define CK_PKCS11_FUNCTION_INFO(name) CK_RV name
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_NEED_ARG_LIST
#undef CK_PKCS11_3_0

}  // namespace hsmtls::pkcs11::front
