#include "tests/support/device.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "hsmtls/hsmtls_openssl.h"

namespace hsmtls::test {
namespace {

struct file_closer {
  void operator()(FILE* file) const { std::fclose(file); }
};

std::unique_ptr<FILE, file_closer> written(const std::filesystem::path& path) {
  std::unique_ptr<FILE, file_closer> file(std::fopen(path.c_str(), "w"));
  if (!file) throw std::runtime_error("cannot write " + path.string());
  return file;
}

void extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (made == nullptr) throw std::runtime_error(std::string("bad extension ") + value);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

// A certificate that strict verifiers (Python 3.13) accept. No issuer: a CA, signed by itself.
x509 certificate(const std::string& name, EVP_PKEY* subject, X509* issuer, EVP_PKEY* signer) {
  static long serial = 0;
  x509 made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 24 * 3600);
  if (X509_set_pubkey(made.get(), subject) != 1) throw std::runtime_error("no public half");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()),
                             "CN",
                             MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()),
                             -1,
                             -1,
                             0);
  X509* const by = issuer != nullptr ? issuer : made.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(by));
  extend(made.get(), by, NID_subject_key_identifier, "hash");
  extend(made.get(), by, NID_authority_key_identifier, "keyid");
  extend(made.get(),
         by,
         NID_basic_constraints,
         issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(made.get(),
         by,
         NID_key_usage,
         issuer == nullptr ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (issuer != nullptr) extend(made.get(), by, NID_subject_alt_name, ("DNS:" + name).c_str());
  if (X509_sign(made.get(), signer, EVP_sha256()) <= 0) throw std::runtime_error("cannot sign");
  return made;
}

void write(const std::filesystem::path& path, X509* one) {
  PEM_write_X509(written(path).get(), one);
}

}  // namespace

device::device()
    : ca_key_(EVP_EC_gen("P-256")), ca_(certificate("CA", ca_key_.get(), nullptr, ca_key_.get())) {
  token_.generate_ec_p256("ec", "01");
  token_.generate_rsa_2048("rsa", "02");
  std::ofstream(file("pin")) << token_.user_pin() << '\n';
  write(file("ca.pem"), ca_.get());
  const evp_key server(EVP_EC_gen("P-256"));
  write(file("server.pem"), certificate("localhost", server.get(), ca_.get(), ca_key_.get()).get());
  PEM_write_PrivateKey(
      written(file("server.key")).get(), server.get(), nullptr, nullptr, 0, nullptr, nullptr);
  issue("ec");
  issue("rsa");
}

std::map<std::string, std::string> device::environment() const {
  return {{"HSMTLS_MODULE", softhsm_module()},
          {"HSMTLS_PIN_SOURCE", pin_source()},
          {"SOFTHSM2_CONF", token_.configuration()}};
}

void device::issue(const std::string& key) const {
  const std::string module = softhsm_module();
  const std::string key_uri = uri(key);
  const std::string pin = pin_source();
  hsmtls_login login{};
  login.struct_size = sizeof login;
  login.pin_source = pin.c_str();
  hsmtls_identity_options options{};
  options.struct_size = sizeof options;
  options.key = key_uri.c_str();
  options.module = module.c_str();
  options.login = &login;
  options.flags = HSMTLS_OPEN_WITHOUT_CERTIFICATE;
  hsmtls_identity* identity = nullptr;
  hsmtls_error* error = nullptr;
  EVP_PKEY* handed = nullptr;
  if (hsmtls_openssl_bind(TLS_method(), EVP_sha256(), &error) != HSMTLS_OK ||
      hsmtls_identity_open(&options, &identity, &error) != HSMTLS_OK ||
      hsmtls_identity_evp_pkey(identity, HSMTLS_KEY_PROVIDER, &handed, &error) != HSMTLS_OK) {
    const std::string message = hsmtls_error_message(error);
    hsmtls_error_free(error);
    throw std::runtime_error(message);
  }
  const evp_key owner(handed);
  write(file(key + ".pem"), certificate("device-" + key, handed, ca_.get(), ca_key_.get()).get());
  hsmtls_identity_release(identity);
}

}  // namespace hsmtls::test
