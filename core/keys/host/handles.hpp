// Owners of OpenSSL's objects, and of its error queue.
#pragma once

#include <climits>
#include <memory>
#include <string>
#include <string_view>

#include "core/keys/host/openssl.hpp"

namespace hsmtls::host {

template <auto Free>
struct freed_by {
  template <class Type>
  void operator()(Type* one) const {
    (crypto().*Free)(one);
  }
};
template <auto Free>
struct ssl_freed_by {
  template <class Type>
  void operator()(Type* one) const {
    (ssl().*Free)(one);
  }
};

using bio = std::unique_ptr<BIO, freed_by<&crypto_functions::BIO_free>>;
using bignum = std::unique_ptr<BIGNUM, freed_by<&crypto_functions::BN_free>>;
using ecdsa_sig = std::unique_ptr<ECDSA_SIG, freed_by<&crypto_functions::ECDSA_SIG_free>>;
using md = std::unique_ptr<EVP_MD, freed_by<&crypto_functions::EVP_MD_free>>;
using md_ctx = std::unique_ptr<EVP_MD_CTX, freed_by<&crypto_functions::EVP_MD_CTX_free>>;
using pkey = std::unique_ptr<EVP_PKEY, freed_by<&crypto_functions::EVP_PKEY_free>>;
using pkey_ctx = std::unique_ptr<EVP_PKEY_CTX, freed_by<&crypto_functions::EVP_PKEY_CTX_free>>;
using asn1_object = std::unique_ptr<ASN1_OBJECT, freed_by<&crypto_functions::ASN1_OBJECT_free>>;
using x509 = std::unique_ptr<X509, freed_by<&crypto_functions::X509_free>>;
using x509_sig = std::unique_ptr<X509_SIG, freed_by<&crypto_functions::X509_SIG_free>>;
using x509_store = std::unique_ptr<X509_STORE, freed_by<&crypto_functions::X509_STORE_free>>;
using x509_store_ctx =
    std::unique_ptr<X509_STORE_CTX, freed_by<&crypto_functions::X509_STORE_CTX_free>>;
using lib_ctx = std::unique_ptr<OSSL_LIB_CTX, freed_by<&crypto_functions::OSSL_LIB_CTX_free>>;
using ssl_ctx = std::unique_ptr<SSL_CTX, ssl_freed_by<&ssl_functions::SSL_CTX_free>>;
using ssl_session = std::unique_ptr<SSL_SESSION, ssl_freed_by<&ssl_functions::SSL_SESSION_free>>;

// `bio_over` reads a text where it is; null for one that OpenSSL cannot count (2 GiB).
inline bio bio_over(std::string_view text) {
  if (text.size() > INT_MAX) return nullptr;
  return bio(crypto().BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// `text_in` returns what has been written to a memory BIO.
inline std::string text_in(const bio& memory) {
  char* text = nullptr;
  const long length = crypto().BIO_ctrl(memory.get(), BIO_CTRL_INFO, 0, &text);
  return length > 0 ? std::string(text, static_cast<size_t>(length)) : std::string();
}

// Memory that OpenSSL allocated. (OPENSSL_free is a macro that names a line of the caller's.)
struct openssl_freed {
  void operator()(void* memory) const { crypto().CRYPTO_free(memory, "", 0); }
};
template <class Type>
using openssl_memory = std::unique_ptr<Type, openssl_freed>;

// While it lives, what goes wrong inside is taken off the thread's error queue again: the host sees
// none of our detours, nor those of a vendor's module that uses the same libcrypto (SoftHSM leaves
// errors behind whenever it is loaded). Where no OpenSSL is bound there is nothing to keep clean.
class error_mark {
 public:
  error_mark() : set_(is_bound()) {
    if (set_) crypto().ERR_set_mark();
  }
  ~error_mark() {
    if (set_) crypto().ERR_pop_to_mark();
  }
  error_mark(const error_mark&) = delete;
  error_mark& operator=(const error_mark&) = delete;

 private:
  bool set_;
};

}  // namespace hsmtls::host
