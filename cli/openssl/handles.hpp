// OpenSSL's objects, owned.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace hsmtls::cli {

template <auto free_function>
struct freed {
  template <class Type>
  void operator()(Type* object) const {
    free_function(object);
  }
};

using bio = std::unique_ptr<BIO, freed<BIO_free_all>>;
using pkey = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
using md_context = std::unique_ptr<EVP_MD_CTX, freed<EVP_MD_CTX_free>>;
using ssl_context = std::unique_ptr<SSL_CTX, freed<SSL_CTX_free>>;
using ssl_connection = std::unique_ptr<SSL, freed<SSL_free>>;
using certificate = std::unique_ptr<X509, freed<X509_free>>;
using request = std::unique_ptr<X509_REQ, freed<X509_REQ_free>>;
using x509_name = std::unique_ptr<X509_NAME, freed<X509_NAME_free>>;

// `memory` returns a BIO that what is written to it can be read from, or one over `text`.
bio memory();
bio memory(const std::string& text);
std::string text_in(const bio& from);

// `openssl_reason` returns the reason of the thread's last error, and empties its queue.
std::string openssl_reason();

}  // namespace hsmtls::cli
