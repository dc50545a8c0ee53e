// What is known about particular vendors' modules, in one table, each line with its source.
#pragma once

#include <string_view>

namespace hsmtls::pkcs11 {

struct quirks {
  std::string_view name;      // for the log; empty: nothing special is known about the module
  bool dies_on_fork = false;  // a child must not touch it, or it harms its parent
  bool reset_hides_behind_general_error = false;  // sessions look alive after a reset: skip rung 1
  bool inherits_over_fork =
      false;  // a child has a copy of the parent's sessions, to do with as it likes
  bool forwards_finalise_nowhere = false;  // C_Finalize never reaches the vendor: no rung 2
};

// `quirks_of` returns what is known about a module by its CK_INFO (manufacturer, description;
// trimmed).
quirks quirks_of(std::string_view manufacturer, std::string_view description);

}  // namespace hsmtls::pkcs11
