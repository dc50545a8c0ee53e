// The module behind this one.
#pragma once

#include <pkcs11.h>

#include <string>
#include <vector>

namespace hsmtls::chaos {

struct vendor_module {
  // The vendor's own v3.0 list if it has one; else its v2 list and no functions after it.
  CK_FUNCTION_LIST_3_0 functions{};
  CK_VERSION version_2{};
  bool has_3_0 = false;
  CK_FLAGS flags_3_0 = 0;

  // `load` returns an error text, empty if it went well. The file is never closed again.
  std::string load(const std::string& file);

  std::vector<CK_SLOT_ID> slots() const;  // none while it is not initialised
};

}  // namespace hsmtls::chaos
