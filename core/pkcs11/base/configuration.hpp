// What the environment says. Read once, when the library is loaded: a web server's workers lose
// their environment later, and a set-uid program's environment is not to be trusted at all.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace hsmtls::pkcs11 {

struct configuration {
  std::vector<std::string> modules;          // HSMTLS_MODULE, vendor module files, ':' between them
  std::chrono::milliseconds deadline{2000};  // HSMTLS_DEADLINE_MS, 1 ms to 10 minutes
  std::string pin_source;                    // HSMTLS_PIN_SOURCE: file:…, env:…, credential:…
  std::string log_target;                    // HSMTLS_LOG: "stderr", a file's path; empty: no log
  bool insist_on_final_try = false;          // HSMTLS_FINAL_TRY=allow
  std::vector<std::string> problems;         // what is wrong with the values above, a sentence each
};

// `settings` returns what the environment said when the library was loaded. Any thread; never
// changes.
const configuration& settings();

// `read_configuration` reads the environment now, through `getter` (secure_getenv in the library:
// it returns nothing in a set-uid program).
configuration read_configuration(const char* (*getter)(const char* name));

}  // namespace hsmtls::pkcs11
