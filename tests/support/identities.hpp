// Identities, opened through the C face of libhsmtls.so.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hsmtls/hsmtls_openssl.h"
#include "tests/support/answer.hpp"
#include "tests/support/openssl.hpp"

namespace hsmtls::test {

// The last reference goes with the object.
struct identity_released {
  void operator()(hsmtls_identity* one) const { hsmtls_identity_release(one); }
};
using open_identity = std::unique_ptr<hsmtls_identity, identity_released>;

struct identity_source {
  std::string key;                   // a URI
  std::optional<std::string> pin{};  // none: from pin_source, or from nowhere
  std::string pin_source{};
  std::string certificate{};  // a file, PEM text or a URI
  std::string module{};       // "": as HSMTLS_MODULE said when the program was started
  uint32_t require = 0;
  uint32_t flags = HSMTLS_OPEN_WITHOUT_CERTIFICATE;
  uint32_t deadline_ms = 0;
  hsmtls_event_fn on_event = nullptr;
  void* event_user = nullptr;
  hsmtls_release_fn event_release = nullptr;
};
answer try_open(const identity_source& from, open_identity& out);
// `opened` throws std::runtime_error with the library's words.
open_identity opened(const identity_source& from);
// With a certificate, if one is given.
open_identity opened(const std::string& key,
                     const std::string& pin,
                     const std::string& certificate = {});

// `handed_key` returns its key as an EVP_PKEY. Throws std::runtime_error.
evp_key handed_key(hsmtls_identity* identity, hsmtls_key_kind kind = HSMTLS_KEY_PROVIDER);

// `import_certificate` stores a certificate (PEM text) in the token, as `into.key` names it; PIN and
// module are `into`'s, too.
answer import_certificate(const identity_source& into, const std::string& certificate);

// `generate_key` makes a key in the token, in front of which is the chaos module.
answer generate_key(const std::string& uri,
                    const std::string& pin,
                    hsmtls_generate_kind kind,
                    uint32_t bits = 0);

}  // namespace hsmtls::test
