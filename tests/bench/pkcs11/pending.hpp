// Asynchronous signatures of the private face, so many pending at any time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace hsmtls::bench {

struct pending_options {
  std::string module;  // libhsmtls-pkcs11.so
  std::string uri;     // of the key
  std::string pin;
  int pending = 1;
  std::chrono::milliseconds how_long{1000};
};

struct pending_result {
  std::uint64_t signatures = 0;
  double seconds = 0;
};

// `sign_pending` keeps `pending` signatures under way for `how_long`, and counts those that were
// made. Throws std::runtime_error if one fails.
pending_result sign_pending(const pending_options& with);

}  // namespace hsmtls::bench
