#include "tests/support/device.hpp"

#include <openssl/ssl.h>

#include <fstream>
#include <stdexcept>

#include "tests/support/identities.hpp"

namespace hsmtls::test {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text)) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

device::device() {
  token_.generate_ec_p256("ec", "01");
  token_.generate_rsa_2048("rsa", "02");
  write(file("pin"), token_.user_pin() + "\n");
  write(file("ca.pem"), ca_.pem());
  write(file("intermediate.pem"), intermediate_.pem());
  const evp_key server = software_key();
  const certificate_words localhost{.name = "localhost",
                                    .names = {"DNS:localhost", "IP:127.0.0.1"}};
  write(file("server.pem"), pem_of(ca_.issue(server.get(), localhost).get()));
  write(file("server.key"), pem_of(server.get()));
  const answer bound = asked(hsmtls_openssl_bind, TLS_method(), EVP_sha256());
  if (!bound.fine()) throw std::runtime_error(bound.message);
  issue("ec");
  issue("rsa");
}

std::map<std::string, std::string> device::environment() const {
  return {{"HSMTLS_MODULE", softhsm_module()},
          {"HSMTLS_PIN_SOURCE", pin_source()},
          {"SOFTHSM2_CONF", token_.configuration()}};
}

void device::issue(const std::string& key) const {
  const open_identity identity =
      opened({.key = uri(key), .pin_source = pin_source(), .module = softhsm_module()});
  const evp_key subject = handed_key(identity.get());
  const certificate_words words{.name = "device-" + key, .names = {"DNS:device-" + key}};
  write(file(key + ".pem"), pem_of(ca_.issue(subject.get(), words).get()));
  write(file(key + "-chain.pem"),
        pem_of(intermediate_.issue(subject.get(), words).get()) + intermediate_.pem());
}

}  // namespace hsmtls::test
