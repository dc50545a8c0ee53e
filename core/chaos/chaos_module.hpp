// The one instance of this module's state.
#pragma once

#include <string>
#include <string_view>

#include "command_file.hpp"
#include "counts.hpp"
#include "crossing.hpp"
#include "rules.hpp"
#include "token_simulation.hpp"
#include "vendor.hpp"

namespace hsmtls::chaos {

struct chaos_module {
  vendor_module vendor;
  rule_set rules;
  token_simulation tokens;
  call_counts counts;
  crossing vendor_door;
  command_file file;
  std::string counts_file;

  // `run` checks the whole script, then runs it; returns an error text, empty if all went well.
  std::string run(std::string_view script);
  void run_new_lines();  // of HSMTLS_CHAOS_FILE; complaints go to stderr
  void drop_sessions(token_simulation::slot_choice slot);
};

// `the_module` loads the vendor and reads the environment when first called. Null if this module
// refuses to work; `refusal` says why.
chaos_module* the_module();
const std::string& refusal();

// `complain` writes "hsmtls-chaos: ..." to stderr.
void complain(const std::string& text);

}  // namespace hsmtls::chaos
