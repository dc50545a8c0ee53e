// The steps of doctor, from the module's file to the finished handshake. None of them throws for what
// it finds wrong.
#pragma once

#include <optional>

#include "cli/doctor/checklist.hpp"
#include "cli/library/identity.hpp"
#include "cli/library/tokens.hpp"
#include "cli/tls/client.hpp"

namespace hsmtls::cli {

struct patient {
  const globals& all;
  access& in;
  std::string uri;
  std::string certificate;  // empty: from the token
};

// machine.cpp: which OpenSSL; whether the PKCS#11 modules load; whether stock programs find us.
void check_openssl(checklist& list);
[[nodiscard]] bool check_modules(checklist& list, const patient& of);
void check_stock_programs(checklist& list);

// token.cpp: false: no use in going on to the login.
[[nodiscard]] bool check_uri(checklist& list, const patient& of);
[[nodiscard]] bool check_token(checklist& list, const patient& of);
[[nodiscard]] bool check_pin_source(checklist& list, const patient& of);

// key.cpp: the login, and the key; nothing: it cannot be opened by itself.
std::optional<identity> check_key(checklist& list, const patient& of);

// certificate.cpp: the identity with its certificate; nothing: there is none that could be shown.
std::optional<identity> check_certificate(checklist& list, const patient& of);

// signatures.cpp: one by each algorithm that TLS 1.2 and 1.3 ask such a key for.
void check_signatures(checklist& list, const identity& key);

// handshake.cpp
void check_handshake(checklist& list,
                     const identity& key,
                     const address& to,
                     const client_options& how);

}  // namespace hsmtls::cli
