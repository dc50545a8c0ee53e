// Where a PIN is to be read from: the value of a URI's pin-source, and of the settings that share
// its syntax.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hsmtls::pkcs11 {

// `pin_location` names the place of a PIN. It never holds the PIN itself.
struct pin_location {
  enum class kind {
    file,         // `name` is an absolute path
    environment,  // `name` is a variable's name
    credential,   // `name` is a systemd credential's name, a file below $CREDENTIALS_DIRECTORY
  };
  kind where = kind::file;
  std::string name;  // UTF-8

  friend bool operator==(const pin_location&, const pin_location&) = default;
};

// `pin_location_result` holds the location, or the sentence that says what is wrong and what to
// write.
struct pin_location_result {
  std::optional<pin_location> value;
  std::string problem;
};

// `parse_pin_source` reads a decoded pin-source: `file:/run/pin`, `file:///run/pin`,
// `file://localhost/run/pin`, `/run/pin`, `env:NAME` or `credential:NAME`. RFC 7512 section 2.4
// leaves the format to the implementation; its `|command` form is refused, because whoever writes
// the URI would run programs. A path has to be absolute, since files are read again at each login
// and a daemon changes its folder. The problem never repeats the text: people do put the PIN itself
// there.
pin_location_result parse_pin_source(std::string_view text);

// `pin_source_text` returns the canonical text of `location`, not percent-encoded: `file:/run/pin`,
// `env:NAME`, `credential:NAME`. `parse_pin_source` reads it back as an equal location.
std::string pin_source_text(const pin_location& location);

}  // namespace hsmtls::pkcs11
