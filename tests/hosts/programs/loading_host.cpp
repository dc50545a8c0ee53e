// loading_host FOLDER LIBHSMTLS [global:FILE|local:FILE]…: a program that is linked with OpenSSL, and
// loads hsmtls as a plug-in would. Otherwise as linked_host.
#include <cstdio>

#include "hsmtls/hsmtls_openssl.h"
#include "tests/hosts/programs/handshake.hpp"
#include "tests/hosts/programs/loaded_before.hpp"

using namespace hsmtls::test;

namespace {

void* library;

#define HSMTLS(name) reinterpret_cast<decltype(&name)>(dlsym(library, #name))

void check(int32_t code, hsmtls_error* error) {
  if (code != HSMTLS_OK) throw std::runtime_error(HSMTLS(hsmtls_error_message)(error));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argv[1];
  for (int i = 3; i < argc; ++i) load_before(argv[i]);
  library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::printf("failed: %s\n", dlerror());
    return 1;
  }
  try {
    hsmtls_error* error = nullptr;
    check(HSMTLS(hsmtls_openssl_bind)(TLS_method(), EVP_sha256(), &error), error);
    const std::string certificate = folder + "/ec.pem";
    hsmtls_identity_options options{};
    options.struct_size = sizeof options;
    options.key = "pkcs11:token=edge;object=ec";
    options.certificate = certificate.c_str();
    hsmtls_identity* device = nullptr;
    check(HSMTLS(hsmtls_identity_open)(&options, &device, &error), error);
    EVP_PKEY* key = nullptr;
    check(HSMTLS(hsmtls_identity_evp_pkey)(device, HSMTLS_KEY_PROVIDER, &key, &error), error);
    handshake(folder, device_context(folder, "ec", key).get());
    EVP_PKEY_free(key);
    HSMTLS(hsmtls_identity_release)(device);
  } catch (const std::exception& problem) {
    std::printf("failed: %s\n", problem.what());
    return 1;
  }
  Dl_info own;
  dladdr(TLS_method(), &own);
  std::printf("own: %s\nwhere: %s\n", own.dli_fname, HSMTLS(hsmtls_openssl_where)());
}
