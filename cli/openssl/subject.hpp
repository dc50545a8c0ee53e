// Names for a certificate request, out of what was typed.
#pragma once

#include <string>
#include <vector>

#include "cli/openssl/handles.hpp"

namespace hsmtls::cli {

// `parse_subject` reads "CN=device-0001,O=Example" (RFC 4514: most specific first) or
// "/O=Example/CN=device-0001" (as openssl -subj: most specific last). A backslash takes the meaning
// from the character behind it; in the first form two hexadecimal digits behind it are a byte of
// UTF-8. Values in ASN.1 (#0c01…) and several in one part (CN=a+O=b) are refused. Throws problem
// (BAD_ARGUMENT).
x509_name parse_subject(const std::string& text);

using alternative_names = std::unique_ptr<GENERAL_NAMES, freed<GENERAL_NAMES_free>>;

// `parse_alternative_names` reads "DNS:a.example,IP:192.0.2.1", "URI:…", "email:…", with
// spaces around them or without; several texts count together; null for none. Throws problem (BAD_ARGUMENT).
alternative_names parse_alternative_names(const std::vector<std::string>& texts);

}  // namespace hsmtls::cli
