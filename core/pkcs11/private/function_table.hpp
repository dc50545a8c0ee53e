// This copy's table of the private face, for the record that it publishes (runtime/instance.hpp).
#pragma once

#include "core/pkcs11/private/hsmtls_pkcs11.h"

namespace hsmtls::pkcs11 {

const hsmtls_p11_functions* private_functions();

}  // namespace hsmtls::pkcs11
