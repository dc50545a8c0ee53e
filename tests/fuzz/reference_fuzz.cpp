// Reference PEM, as strangers write it: whatever is in it, it is read or refused, and what is read and
// selects a key is written and read again as the same.
#include <openssl/evp.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "core/keys/failure.hpp"
#include "core/keys/host/openssl.hpp"
#include "core/keys/pem/reference_pem.hpp"

namespace {

using namespace hsmtls;

void check(const std::string& uri) {
  try {
    (void)keys::selecting_uri(uri);
  } catch (const failure&) {
    return;
  }
  std::string pem;
  try {
    pem = keys::write_reference_pem(uri);
  } catch (const failure& problem) {
    if (problem.code() != HSMTLS_MALFORMED_URI) std::abort();  // too long: nothing else
    return;
  }
  if (keys::read_reference_pem(pem) != uri) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool bound = [] {
    host::bind(nullptr, EVP_sha256());
    return true;
  }();
  (void)bound;
  // As DER, as PEM, and as the text of a URI.
  if (const std::optional<std::string> uri = keys::uri_in_reference({data, size})) check(*uri);
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    check(keys::read_reference_pem(text));
  } catch (const failure& problem) {
    if (problem.code() != HSMTLS_MALFORMED_PEM) std::abort();
  }
  check(text);
  return 0;
}
