// configured_host FOLDER: a program whose OPENSSL_CONF activates hsmtls as a provider, and which uses
// hsmtls itself, too. Makes handshakes by either.
#include <openssl/provider.h>
#include <openssl/store.h>

#include <cstdio>

#include "hsmtls/openssl.hpp"
#include "tests/hosts/programs/handshake.hpp"

using namespace hsmtls::test;

namespace {

using evp_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

evp_key from_store(const std::string& uri) {
  const std::unique_ptr<OSSL_STORE_CTX, freed_by<OSSL_STORE_close>> store(
      OSSL_STORE_open(uri.c_str(), nullptr, nullptr, nullptr, nullptr));
  must(store != nullptr, "the store");
  while (OSSL_STORE_eof(store.get()) == 0) {
    const std::unique_ptr<OSSL_STORE_INFO, freed_by<OSSL_STORE_INFO_free>> one(
        OSSL_STORE_load(store.get()));
    if (one && OSSL_STORE_INFO_get_type(one.get()) == OSSL_STORE_INFO_PKEY)
      return evp_key(OSSL_STORE_INFO_get1_PKEY(one.get()));
  }
  throw std::runtime_error("no key in the store");
}

evp_key from_pem(const std::string& pem) {
  const std::unique_ptr<BIO, freed_by<BIO_free>> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  evp_key found(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
  must(found != nullptr, "the PEM");
  return found;
}

}  // namespace

int main(int /*argc*/, char** argv) {
  const std::string folder = argv[1];
  try {
    // The configured provider comes first, as OpenSSL is initialised.
    handshake(folder,
              device_context(folder, "ec", from_store("pkcs11:token=edge;object=ec").get()).get());
    must(OSSL_PROVIDER_available(nullptr, "hsmtls") == 1, "the provider is not configured");

    hsmtls::identity_options options;
    options.key = "pkcs11:token=edge;object=rsa";
    options.certificate = folder + "/rsa.pem";
    const hsmtls::identity device = hsmtls::identity::open(options);
    hsmtls::install_provider();
    must(OSSL_PROVIDER_available(nullptr, "hsmtls-inproc") == 1, "no provider was installed");
    handshake(
        folder,
        device_context(folder, "rsa", device.evp_pkey(hsmtls::key_kind::provider).get()).get());
    handshake(folder, device_context(folder, "rsa", from_pem(device.key_pem()).get()).get());
    handshake(folder,
              device_context(folder, "ec", from_store("pkcs11:token=edge;object=ec").get()).get());
  } catch (const std::exception& problem) {
    std::printf("failed: %s\n", problem.what());
    return 1;
  }
  std::printf("where: %s\n", hsmtls::openssl_in_use());
}
