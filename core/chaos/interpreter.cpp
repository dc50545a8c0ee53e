// Running commands.
#include "chaos_module.hpp"
#include "replace_key.hpp"
#include "script.hpp"

namespace hsmtls::chaos {
namespace {

// One overload per command; each returns an error text, empty if it went well.
struct interpreter {
  chaos_module& on;

  std::vector<CK_SLOT_ID> chosen(slot_choice slot) const {
    return slot ? std::vector<CK_SLOT_ID>{*slot} : on.vendor.slots();
  }

  std::string operator()(const rule& added) const {
    on.rules.add(added);
    return {};
  }
  std::string operator()(clear_command) const {
    on.rules.clear();
    return {};
  }
  std::string operator()(release_command) const {
    on.rules.release();
    return {};
  }
  std::string operator()(reset_command) const {
    on.rules.clear();
    on.tokens.reset();
    on.counts.reset();
    on.vendor_door.set_quiet(false);
    return {};
  }
  std::string operator()(quiet_drops_command asked) const {
    on.vendor_door.set_quiet(asked.on);
    return {};
  }
  std::string operator()(drop_sessions_command) const {
    on.drop_sessions(std::nullopt);
    return {};
  }
  std::string operator()(const remove_token_command& asked) const {
    // First absent, then closed: a session opened in between would survive.
    on.tokens.remove(asked.slot, chosen(asked.slot));
    on.drop_sessions(asked.slot);
    return {};
  }
  std::string operator()(const return_token_command& asked) const {
    on.tokens.bring_back(asked.slot, asked.serial, asked.needs_reinit, chosen(asked.slot));
    return {};
  }
  std::string operator()(const replace_key_command& asked) const {
    return replace_key(on.vendor, chosen(asked.slot), asked.id, asked.pin);
  }
  std::string operator()(lock_pin_command asked) const {
    on.tokens.lock_pin(asked.locked);
    return {};
  }
  std::string operator()(pin_flags_command asked) const {
    on.tokens.set_pin_flags(asked.flags);
    return {};
  }
  std::string operator()(const pin_pad_command& asked) const {
    on.tokens.set_pin_pad(asked.on, asked.pin);
    return {};
  }
  std::string operator()(const always_authenticate_command& asked) const {
    on.tokens.set_always_authenticate(asked.on, asked.pin);
    return {};
  }
  std::string operator()(limit_sessions_command asked) const {
    on.tokens.limit_sessions(asked.max);
    return {};
  }
  std::string operator()(const write_counts_command& asked) const {
    const std::string file = asked.file.value_or(on.counts_file);
    if (file.empty()) return "write-counts: no file is named, nor is HSMTLS_CHAOS_COUNTS set";
    return on.counts.write(file);
  }
};

}  // namespace

std::string chaos_module::run(std::string_view script) {
  const parsed_script parsed = parse(script);
  if (!parsed.error.empty()) return parsed.error;
  for (const command& each : parsed.commands) {
    if (std::string error = std::visit(interpreter{*this}, each); !error.empty()) return error;
  }
  return {};
}

void chaos_module::run_new_lines() {
  if (!file.followed()) return;
  for (const command_file::line& each : file.new_lines()) {
    if (const std::string error = run(each.text); !error.empty()) {
      complain(each.where + ": " + error);
    }
  }
}

void chaos_module::drop_sessions(token_simulation::slot_choice slot) {
  const crossing::closure alone(vendor_door);
  const std::uint64_t then = tokens.now();
  for (const CK_SLOT_ID each : slot ? std::vector<CK_SLOT_ID>{*slot} : vendor.slots()) {
    vendor.functions.C_CloseAllSessions(each);
  }
  tokens.closed_all(slot, then);
}

}  // namespace hsmtls::chaos
