#pragma once

#include <pkcs11.h>

#include <string>
#include <vector>

#include "vendor.hpp"

namespace hsmtls::chaos {

// `replace_key` destroys the key pairs with this CKA_ID on `slots` and generates new ones of the
// same type, label and ID in their place. Returns an error text, empty if at least one was
// replaced.
std::string replace_key(const vendor_module& vendor,
                        const std::vector<CK_SLOT_ID>& slots,
                        std::vector<CK_BYTE> id,
                        std::string pin);

}  // namespace hsmtls::chaos
