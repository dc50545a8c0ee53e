// Signature algorithms by their names in RFC 8446 section 4.2.3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hsmtls/hsmtls.h"

namespace hsmtls::cli {

struct signature_scheme {
  const char* name;
  const char* versions;
  const char* digest;  // null: signs the message
  int padding;         // 0: no RSA
};

// `schemes_for` returns what TLS 1.2 and 1.3 ask such a key for.
std::vector<signature_scheme> schemes_for(const hsmtls_identity_info& key);

// `scheme_name` returns "ecdsa_secp256r1_sha256" for 0x0403; "0x0420" for one that has no name here.
std::string scheme_name(uint16_t code);

}  // namespace hsmtls::cli
