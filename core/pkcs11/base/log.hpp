// What happened, one line each: `time level event key=value …` to where HSMTLS_LOG points. One
// write(2) a line, which never waits, and no state but a file descriptor (base/line_sink): usable
// with locks held, while the process exits, after a fork, and from any thread. Never given a PIN:
// the only functions that see one are in base/secret and token/login.
#pragma once

#include <concepts>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace hsmtls::pkcs11::log {

enum class level { info, warning, error };

// `enabled` tells whether HSMTLS_LOG asks for a log at all.
bool enabled();

namespace detail {
void write_line(level severity, std::string_view event, std::string_view fields);
void append(std::string& line, std::string_view key, std::string_view value);
void append(std::string& line, std::string_view key, double value);
template <std::integral Value>
void append(std::string& line, std::string_view key, Value value) {
  append(line, key, std::string_view(std::to_string(value)));
}

inline void append_fields(std::string&) {}
template <class Value, class... Rest>
void append_fields(std::string& line,
                   std::string_view key,
                   const Value& value,
                   const Rest&... rest) {
  append(line, key, value);
  append_fields(line, rest...);
}
}  // namespace detail

// `event` writes one line if there is a log. `fields` are keys and values in turn:
// event(level::info, "restored", "token", label, "ms", 12.5). Values with blanks are quoted;
// control characters and what is not UTF-8 become \xNN. Without memory for it there is no line.
template <class... Fields>
void event(level severity, std::string_view name, const Fields&... fields) noexcept {
  static_assert(sizeof...(fields) % 2 == 0, "keys and values in turn");
  if (!enabled()) return;
  try {
    std::string line;
    detail::append_fields(line, fields...);
    detail::write_line(severity, name, line);
  } catch (const std::bad_alloc&) {
  }
}

// `event_of` is `event` for fields that are counted at run time.
void event_of(level severity, std::string_view name, std::span<const char* const> fields);

// `complain` says a sentence that the person who runs the program has to see, log or no log: on
// stderr unless HSMTLS_LOG already sends it there. For set-up errors only; each is said once in the
// life of the process, and not again by its forked children. Names in it come from quoted_name or
// quoted_path (base/quoted_name.hpp).
void complain(std::string_view sentence);

}  // namespace hsmtls::pkcs11::log
