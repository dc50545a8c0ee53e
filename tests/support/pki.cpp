#include "tests/support/pki.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace hsmtls::test {
namespace {

using bio = std::unique_ptr<BIO, freed_by<BIO_free>>;

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (made == nullptr) throw std::runtime_error("bad extension " + value);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

std::string text_in(BIO* memory) {
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory, &text);
  return {text, static_cast<size_t>(length)};
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : ",") + one;
  return text;
}

x509 signed_certificate(EVP_PKEY* subject,
                        const certificate_words& words,
                        X509* issuer,  // null: itself
                        EVP_PKEY* signer) {
  static std::atomic<long> serial{0};
  x509 made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), words.from.count());
  X509_gmtime_adj(X509_getm_notAfter(made.get()), words.until.count());
  if (X509_set_pubkey(made.get(), subject) != 1) throw std::runtime_error("no public half");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()),
                             "CN",
                             MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(words.name.c_str()),
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
         words.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(made.get(),
         by,
         NID_key_usage,
         words.authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!words.names.empty()) extend(made.get(), by, NID_subject_alt_name, joined(words.names));
  if (words.padding > 0) {
    extend(made.get(), by, NID_netscape_comment, std::string(words.padding, 'x'));
  }
  if (X509_sign(made.get(), signer, EVP_get_digestbyname(words.digest)) <= 0) {
    throw std::runtime_error("cannot sign a certificate");
  }
  return made;
}

certificate_words of_authority(const std::string& name) {
  certificate_words words;
  words.name = name;
  words.authority = true;
  return words;
}

}  // namespace

authority::authority(const std::string& name)
    : key_(software_key()),
      certificate_(signed_certificate(key_.get(), of_authority(name), nullptr, key_.get())) {}

authority::authority(const std::string& name, const authority& issuer)
    : key_(software_key()), certificate_(issuer.issue(key_.get(), of_authority(name))) {}

x509 authority::issue(EVP_PKEY* subject, const certificate_words& words) const {
  return signed_certificate(subject, words, certificate_.get(), key_.get());
}

std::string authority::pem() const {
  return pem_of(certificate_.get());
}

std::string pem_of(X509* certificate) {
  const bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return text_in(out.get());
}

std::string pem_of(EVP_PKEY* key) {
  const bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_in(out.get());
}

evp_key software_key(const std::string& kind) {
  EVP_PKEY* made = nullptr;
  if (kind.rfind("RSA:", 0) == 0) {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{std::stoul(kind.substr(4))});
  } else if (kind == "ED25519") {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  } else {
    made = EVP_EC_gen(kind.c_str());
  }
  if (made == nullptr) throw std::runtime_error("cannot make a key of kind " + kind);
  return evp_key(made);
}

}  // namespace hsmtls::test
