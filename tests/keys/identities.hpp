// Identities with certificates by authorities of the test's own.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/keys/fixture.hpp"
#include "tests/support/pki.hpp"

namespace hsmtls::test {

class Identities : public keys_in_softhsm {
 protected:
  // A key in the token, to have a certificate made for.
  evp_key half(const std::string& label) { return handed_key(open_key(label)); }

  // A certificate for the key "p256".
  std::string issued(const std::string& subject,
                     const authority& by,
                     certificate_words words = {}) {
    words.name = subject;
    return pem_of(by.issue(half("p256").get(), words).get());
  }

  answer refused(const std::string& label, const std::string& certificate) {
    open_identity none;
    return try_with(label, certificate, none);
  }

  authority root{"root"};
  authority sub{"sub", root};
  authority sub_sub{"sub-sub", sub};
};

}  // namespace hsmtls::test
