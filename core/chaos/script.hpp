// The language: hsmtls_chaos.h says what each command means, this turns text into commands.
#pragma once

#include <pkcs11.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules.hpp"

namespace hsmtls::chaos {

using slot_choice = std::optional<CK_SLOT_ID>;  // none: all slots

struct clear_command {};
struct release_command {};
struct reset_command {};
struct drop_sessions_command {};
struct remove_token_command {
  slot_choice slot;
};
struct return_token_command {
  slot_choice slot;
  std::optional<std::string> serial;
  bool needs_reinit = false;
};
struct replace_key_command {
  std::vector<CK_BYTE> id;
  std::string pin;
  slot_choice slot;
};
struct lock_pin_command {
  bool locked = true;
};
struct pin_flags_command {
  CK_FLAGS flags = 0;
};
struct pin_pad_command {
  bool on = true;
  std::optional<std::string> pin;
};
struct always_authenticate_command {
  bool on = true;
  std::optional<std::string> pin;
};
struct limit_sessions_command {
  CK_ULONG max = 0;  // 0: no limit
};
struct quiet_drops_command {
  bool on = true;
};
struct write_counts_command {
  std::optional<std::string> file;
};

using command = std::variant<rule,
                             clear_command,
                             release_command,
                             reset_command,
                             drop_sessions_command,
                             remove_token_command,
                             return_token_command,
                             replace_key_command,
                             lock_pin_command,
                             pin_flags_command,
                             pin_pad_command,
                             always_authenticate_command,
                             limit_sessions_command,
                             quiet_drops_command,
                             write_counts_command>;

struct parsed_script {
  std::vector<command> commands;
  std::string error;  // empty: the script is fine
};

// `parse` returns all commands of `text`, or says what is wrong with the first bad one.
parsed_script parse(std::string_view text);

}  // namespace hsmtls::chaos
