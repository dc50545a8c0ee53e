#include "cli/openssl/request.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <new>

#include "cli/library/problem.hpp"
#include "cli/openssl/certificates.hpp"

namespace hsmtls::cli {
namespace {

using extensions =
    std::unique_ptr<STACK_OF(X509_EXTENSION), freed<[](STACK_OF(X509_EXTENSION) * all) {
                      sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
                    }>>;

void add(const extensions& to, X509_EXTENSION* made) {
  if (made == nullptr || sk_X509_EXTENSION_push(to.get(), made) == 0) throw std::bad_alloc();
}

// Null: the key signs messages and no digests.
const EVP_MD* digest_for(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) > 384) return EVP_sha512();
  if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) > 256) return EVP_sha384();
  return EVP_sha256();
}

void verify(const std::string& pem) {
  const bio in = memory(pem);
  const request read(PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr));
  if (!read || X509_REQ_verify(read.get(), X509_REQ_get0_pubkey(read.get())) != 1) {
    throw problem(
        HSMTLS_SIGNATURE_FAILED,
        "the token's signature does not verify with the public key that the token gave: the "
        "two halves of the key do not belong together. Generate a new key (hsmtls keygen)",
        {},
        openssl_reason());
  }
}

}  // namespace

request_maker::request_maker(const request_options& from)
    : subject_(parse_subject(from.subject)),
      names_(parse_alternative_names(from.alternative_names)),
      for_server_(from.for_server) {}

made_request request_maker::make(EVP_PKEY* key) const {
  const request made(X509_REQ_new());
  const extensions all(sk_X509_EXTENSION_new_null());
  if (!made || !all) throw std::bad_alloc();
  add(all, X509V3_EXT_conf_nid(nullptr, nullptr, NID_key_usage, "critical,digitalSignature"));
  add(all,
      X509V3_EXT_conf_nid(
          nullptr, nullptr, NID_ext_key_usage, for_server_ ? "serverAuth" : "clientAuth"));
  if (names_) add(all, X509V3_EXT_i2d(NID_subject_alt_name, 0, names_.get()));
  ERR_clear_error();
  if (X509_REQ_set_version(made.get(), 0) != 1 ||
      X509_REQ_set_subject_name(made.get(), subject_.get()) != 1 ||
      X509_REQ_set_pubkey(made.get(), key) != 1 ||
      X509_REQ_add_extensions(made.get(), all.get()) != 1 ||
      X509_REQ_sign(made.get(), key, digest_for(key)) <= 0) {
    throw problem(
        HSMTLS_SIGNATURE_FAILED, "the request could not be made or signed", {}, openssl_reason());
  }
  const bio out = memory();
  if (PEM_write_bio_X509_REQ(out.get(), made.get()) != 1) throw std::bad_alloc();
  made_request result{text_in(out), name_text(subject_.get())};
  verify(result.pem);
  return result;
}

}  // namespace hsmtls::cli
