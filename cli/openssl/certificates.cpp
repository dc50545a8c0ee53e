#include "cli/openssl/certificates.hpp"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>

#include "cli/library/problem.hpp"

namespace hsmtls::cli {

std::vector<certificate> certificates_in(const std::string& text, const std::string& from) {
  std::vector<certificate> found;
  const bio in = memory(text);
  ERR_clear_error();
  while (certificate one{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)})
    found.push_back(std::move(one));
  // No further block is how every text ends; anything else is a block that cannot be read.
  const bool read_to_the_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = openssl_reason();
  if (found.empty() && read_to_the_end) {
    if (certificate one =
            certificate_in({reinterpret_cast<const uint8_t*>(text.data()), text.size()})) {
      found.push_back(std::move(one));
      return found;
    }
    throw problem(HSMTLS_CERTIFICATE_MALFORMED,
                  from + " holds no certificate, neither as PEM nor as DER");
  }
  if (!read_to_the_end) {
    throw problem(
        HSMTLS_CERTIFICATE_MALFORMED,
        fmt::format("the certificate number {} in {} cannot be read", found.size() + 1, from),
        {},
        reason);
  }
  return found;
}

certificate certificate_in(std::span<const uint8_t> der) {
  const uint8_t* at = der.data();
  certificate made(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return made;
}

std::string pem_of(X509* one) {
  const bio out = memory();
  PEM_write_bio_X509(out.get(), one);
  return text_in(out);
}

std::string name_text(const X509_NAME* name) {
  const bio out = memory();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return text_in(out);
}

std::string subject_of(const X509* one) {
  return name_text(X509_get_subject_name(one));
}

std::string issuer_of(const X509* one) {
  return name_text(X509_get_issuer_name(one));
}

std::string common_name_of(const X509* one) {
  const X509_NAME* const name = X509_get_subject_name(one);
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int length =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  std::string made =
      length > 0 ? std::string(reinterpret_cast<char*>(text), static_cast<size_t>(length)) : "";
  OPENSSL_free(text);
  return made;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "?";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                     parts.tm_year + 1900,
                     parts.tm_mon + 1,
                     parts.tm_mday,
                     parts.tm_hour,
                     parts.tm_min,
                     parts.tm_sec);
}

bool is_self_signed(X509* one) {
  return X509_check_issued(one, one) == X509_V_OK;
}

bool has_issued(X509* issuer, X509* one) {
  if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(one)) != 0) return false;
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  const bool signed_by = key != nullptr && X509_verify(one, key) == 1;
  ERR_clear_error();
  return signed_by;
}

std::string key_identifier(const X509* one) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  X509_pubkey_digest(one, EVP_sha1(), digest.data(), &length);
  return {reinterpret_cast<char*>(digest.data()), length};
}

namespace {

// "P-256" for prime256v1; as OpenSSL calls it where it is no curve of NIST's.
std::string curve_of(EVP_PKEY* key) {
  std::array<char, 64> name{};
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) {
    ERR_clear_error();
    return "by its own parameters";
  }
  const char* const by_nist = EC_curve_nid2nist(OBJ_sn2nid(name.data()));
  return by_nist != nullptr ? by_nist : name.data();
}

}  // namespace

std::string key_text(EVP_PKEY* key) {
  if (key == nullptr) return "?";
  const int bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return fmt::format("RSA {}", bits);
    case EVP_PKEY_EC:
      return "EC " + curve_of(key);
    case EVP_PKEY_ED25519:
      return "Ed25519";
    default:
      return fmt::format("{} {}", EVP_PKEY_get0_type_name(key), bits);
  }
}

}  // namespace hsmtls::cli
