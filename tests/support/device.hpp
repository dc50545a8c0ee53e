// A device with its key in SoftHSM, and what its peers need: made through libhsmtls.so, with
// certificates by a CA of its own.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tests/support/pki.hpp"
#include "tests/support/softhsm.hpp"

namespace hsmtls::test {

// Keys "ec" (P-256) and "rsa" (2048 bits) in the token "edge". In its folder: the device's
// certificates ec.pem and rsa.pem, others by an intermediate CA (ec-chain.pem and rsa-chain.pem, with
// intermediate.pem behind), the root's ca.pem, a peer "localhost" with a software key (server.pem,
// server.key), and the file "pin". No certificate is in the token.
class device {
 public:
  device();

  [[nodiscard]] const softhsm_token& token() const { return token_; }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return token_.folder() / name;
  }
  [[nodiscard]] static std::string uri(const std::string& key) {
    return "pkcs11:token=edge;object=" + key;
  }
  [[nodiscard]] std::string pin_source() const { return "file:" + file("pin").string(); }
  // What a program needs in its environment to reach the token.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

 private:
  void issue(const std::string& key) const;

  softhsm_token token_;
  authority ca_{"CA"};
  authority intermediate_{"Device CA", ca_};
};

}  // namespace hsmtls::test
