#include "script.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace hsmtls::chaos {
namespace {

struct script_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string quoted(std::string_view text) {
  return '\'' + std::string(text) + '\'';
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  Number value{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The words of one command. Every function that takes a word says what it had hoped for.
class words {
 public:
  explicit words(std::vector<std::string> all) : all_(std::move(all)) {}

  std::size_t left() const { return all_.size() - at_; }
  bool empty() const { return left() == 0; }
  const std::string& peek() const { return all_[at_]; }

  std::string take(std::string_view wanted) {
    if (empty()) throw script_error(std::string(wanted) + " is missing");
    return all_[at_++];
  }

  // `take_option` removes `name=...` wherever it stands among the words that are left.
  std::optional<std::string> take_option(std::string_view name) {
    const std::string prefix = std::string(name) + '=';
    for (std::size_t i = at_; i < all_.size(); ++i) {
      if (!all_[i].starts_with(prefix)) continue;
      std::string value = all_[i].substr(prefix.size());
      all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(i));
      if (value.empty()) throw script_error(prefix + " has no value");
      return value;
    }
    return std::nullopt;
  }

  bool take_word(std::string_view word) {
    const auto found = std::find(all_.begin() + static_cast<std::ptrdiff_t>(at_), all_.end(), word);
    if (found == all_.end()) return false;
    all_.erase(found);
    return true;
  }

  slot_choice take_slot() {
    const auto text = take_option("slot");
    if (!text) return std::nullopt;
    const auto slot = to_number<CK_SLOT_ID>(*text);
    if (!slot) throw script_error("slot=" + *text + " is not a slot ID");
    return slot;
  }

  void finish() const {
    if (!empty()) throw script_error("does not know what to do with " + quoted(peek()));
  }

 private:
  std::vector<std::string> all_;
  std::size_t at_ = 0;
};

std::optional<function_id> take_function(words& from) {
  const std::string name = from.take("the function");
  if (name == "*") return std::nullopt;
  const auto found = find_function(name);
  if (!found) {
    throw script_error(quoted(name) + " is not a PKCS#11 function" + did_you_mean_function(name));
  }
  return found;
}

std::optional<occurrence> to_occurrence(std::string_view text) {
  if (text == "*") return occurrence{};
  occurrence which;
  const std::size_t dots = text.find("..");
  const auto first = to_number<std::uint64_t>(text.substr(0, dots));
  if (!first || *first == 0) return std::nullopt;
  which.first = *first;
  if (dots == std::string_view::npos) {
    which.last = *first;
  } else if (dots + 2 < text.size()) {
    const auto last = to_number<std::uint64_t>(text.substr(dots + 2));
    if (!last || *last < *first) return std::nullopt;
    which.last = *last;
  }
  return which;
}

occurrence take_occurrence(words& from) {
  const std::string text = from.take("which call (3, 3.., 3..5 or *)");
  const auto which = to_occurrence(text);
  if (!which) throw script_error(quoted(text) + " does not say which call: 3, 3.., 3..5 or *");
  return *which;
}

CK_RV take_rv(words& from) {
  const std::string text = from.take("the CKR_ value");
  const auto rv = parse_rv(text);
  if (!rv) throw script_error(quoted(text) + " is not a CKR_ value" + did_you_mean_rv(text));
  return *rv;
}

std::chrono::microseconds take_duration(words& from) {
  const std::string text = from.take("the duration (250us, 50ms, 2s)");
  const std::size_t unit_at = text.find_first_not_of("0123456789");
  const auto number = to_number<std::uint32_t>(std::string_view(text).substr(0, unit_at));
  const std::string unit = unit_at == std::string::npos ? "" : text.substr(unit_at);
  if (number && unit == "us") return std::chrono::microseconds(*number);
  if (number && unit == "ms") return std::chrono::milliseconds(*number);
  if (number && unit == "s") return std::chrono::seconds(*number);
  throw script_error(quoted(text) + " is not a duration like 250us, 50ms or 2s");
}

template <effect What>
command parse_failure(words& from) {
  rule made;
  made.what = What;
  made.function = take_function(from);
  made.which = take_occurrence(from);
  made.value = take_rv(from);
  return made;
}

command parse_delay(words& from) {
  rule made;
  made.what = effect::delay;
  made.function = take_function(from);
  if (from.left() > 1) made.which = take_occurrence(from);
  made.sleep = take_duration(from);
  return made;
}

template <effect What>
command parse_occurrence(words& from) {
  rule made;
  made.what = What;
  made.function = take_function(from);
  made.which = take_occurrence(from);
  return made;
}

command parse_drop_every(words& from) {
  rule made;
  made.what = effect::drop_sessions;
  const std::string text = from.take("how often (every how many calls)");
  const auto step = to_number<std::uint64_t>(text);
  if (!step || *step == 0) throw script_error(quoted(text) + " is not a number of calls");
  made.which.first = made.which.step = *step;
  made.function = take_function(from);
  return made;
}

command parse_return(words& from) {
  return_token_command made;
  made.slot = from.take_slot();
  made.serial = from.take_option("serial");
  if (made.serial && made.serial->size() > sizeof(CK_TOKEN_INFO::serialNumber)) {
    throw script_error("a serial number has at most 16 characters");
  }
  made.needs_reinit = from.take_word("needs-reinit");
  return made;
}

command parse_replace_key(words& from) {
  replace_key_command made;
  made.slot = from.take_slot();
  const auto pin = from.take_option("pin");
  if (!pin) throw script_error("pin= is missing");
  made.pin = *pin;
  const std::string digits = from.take("the key's CKA_ID in hexadecimal digits");
  if (digits.size() % 2 != 0) throw script_error(quoted(digits) + " has half a byte too many");
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const auto byte = to_number<std::uint8_t>("0x" + digits.substr(i, 2));
    if (!byte) throw script_error(quoted(digits) + " is not hexadecimal");
    made.id.push_back(*byte);
  }
  return made;
}

command parse_pin_flags(words& from) {
  constexpr std::pair<std::string_view, CK_FLAGS> known[] = {
      {"count-low", CKF_USER_PIN_COUNT_LOW},
      {"final-try", CKF_USER_PIN_FINAL_TRY},
      {"so-final-try", CKF_SO_PIN_FINAL_TRY},
      {"so-locked", CKF_SO_PIN_LOCKED},
      {"locked", CKF_USER_PIN_LOCKED},
      {"to-be-changed", CKF_USER_PIN_TO_BE_CHANGED},
      {"none", 0},
  };
  pin_flags_command made;
  do {
    const std::string word = from.take(
        "a flag (count-low, final-try, locked, to-be-changed, so-final-try, so-locked, none)");
    const auto* found = std::find_if(
        std::begin(known), std::end(known), [&](const auto& each) { return each.first == word; });
    if (found == std::end(known)) {
      std::vector<std::string_view> names;
      for (const auto& each : known) names.push_back(each.first);
      throw script_error(quoted(word) + " is not a PIN flag" + did_you_mean(word, names));
    }
    made.flags |= found->second;
  } while (!from.empty());
  return made;
}

template <class Command>
command parse_switch_with_pin(words& from) {
  Command made;
  made.on = !from.take_word("off");
  made.pin = from.take_option("pin");
  if (!made.on && made.pin) throw script_error("off takes no pin=");
  return made;
}

command parse_limit(words& from) {
  limit_sessions_command made;
  const std::string text = from.take("the number of sessions, or off,");
  if (text == "off") return made;
  const auto max = to_number<CK_ULONG>(text);
  if (!max || *max == 0) throw script_error(quoted(text) + " is not a number of sessions, nor off");
  made.max = *max;
  return made;
}

command parse_quiet_drops(words& from) {
  const std::string text = from.take("on or off");
  if (text != "on" && text != "off") throw script_error(quoted(text) + " is neither on nor off");
  return quiet_drops_command{text == "on"};
}

command parse_write_counts(words& from) {
  write_counts_command made;
  if (!from.empty()) made.file = from.take("");
  return made;
}

struct command_row {
  std::string_view name;
  command (*parse)(words&);
};

constexpr command_row command_rows[] = {
    {"fail", &parse_failure<effect::fail>},
    {"fail-after", &parse_failure<effect::fail_after>},
    {"delay", &parse_delay},
    {"hang", &parse_occurrence<effect::hang>},
    {"release", [](words&) -> command { return release_command{}; }},
    {"clear", [](words&) -> command { return clear_command{}; }},
    {"reset", [](words&) -> command { return reset_command{}; }},
    {"drop-sessions", [](words&) -> command { return drop_sessions_command{}; }},
    {"drop-sessions-at", &parse_occurrence<effect::drop_sessions>},
    {"drop-sessions-every", &parse_drop_every},
    {"remove-token", [](words& from) -> command { return remove_token_command{from.take_slot()}; }},
    {"return-token", &parse_return},
    {"replace-key", &parse_replace_key},
    {"lock-pin", [](words&) -> command { return lock_pin_command{true}; }},
    {"unlock-pin", [](words&) -> command { return lock_pin_command{false}; }},
    {"pin-flags", &parse_pin_flags},
    {"pin-pad", &parse_switch_with_pin<pin_pad_command>},
    {"always-authenticate", &parse_switch_with_pin<always_authenticate_command>},
    {"limit-sessions", &parse_limit},
    {"quiet-drops", &parse_quiet_drops},
    {"write-counts", &parse_write_counts},
};

command parse_command(words from) {
  const std::string name = from.take("the command");
  for (const command_row& row : command_rows) {
    if (row.name != name) continue;
    try {
      command made = row.parse(from);
      from.finish();
      return made;
    } catch (const script_error& error) {
      throw script_error(name + ": " + error.what());
    }
  }
  std::vector<std::string_view> names;
  for (const command_row& row : command_rows) names.push_back(row.name);
  throw script_error(quoted(name) + " is not a command" + did_you_mean(name, names));
}

// `split` cuts a script into commands and those into words.
std::vector<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::vector<std::string>> commands(1);
  std::string word;
  bool in_word = false;
  const auto end_word = [&] {
    if (in_word) commands.back().push_back(word);
    word.clear();
    in_word = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t close = text.find('"', i + 1);
      if (close == std::string_view::npos) throw script_error("a \" is never closed");
      word += text.substr(i + 1, close - i - 1);
      in_word = true;
      i = close;
    } else if (c == '#' && !in_word) {
      const std::size_t newline = text.find('\n', i);
      i = (newline == std::string_view::npos ? text.size() : newline) - 1;
    } else if (c == ';' || c == '\n') {
      end_word();
      commands.emplace_back();
    } else if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
    } else {
      word += c;
      in_word = true;
    }
  }
  end_word();
  std::erase_if(commands, [](const auto& each) { return each.empty(); });
  return commands;
}

}  // namespace

parsed_script parse(std::string_view text) {
  parsed_script result;
  try {
    for (auto& each : split(text)) result.commands.push_back(parse_command(words(std::move(each))));
  } catch (const script_error& error) {
    result.commands.clear();
    result.error = error.what();
  }
  return result;
}

}  // namespace hsmtls::chaos
