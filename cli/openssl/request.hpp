// A certificate request (RFC 2986), signed in the token.
#pragma once

#include <string>
#include <vector>

#include "cli/openssl/subject.hpp"

namespace hsmtls::cli {

struct request_options {
  std::string subject;
  std::vector<std::string> alternative_names;
  bool for_server = false;  // serverAuth in place of clientAuth
};

struct made_request {
  std::string pem;
  std::string subject;  // as it was encoded, RFC 4514
};

// What the options say, checked before any token is asked. Throws problem (BAD_ARGUMENT).
class request_maker {
 public:
  explicit request_maker(const request_options& from);
  // `make` signs with the private key and verifies what came of it with the public half alone, as a CA
  // will. Throws problem.
  [[nodiscard]] made_request make(EVP_PKEY* key) const;

 private:
  x509_name subject_;
  alternative_names names_;
  bool for_server_;
};

}  // namespace hsmtls::cli
