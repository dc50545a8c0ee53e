// linked_host FOLDER [global:FILE|local:FILE]…: a C++ program that is linked with OpenSSL and hsmtls.
// Loads the files, then makes handshakes with the device's keys. Says which OpenSSL is its own and
// which one hsmtls uses.
#include <cstdio>

#include "hsmtls/openssl.hpp"
#include "tests/hosts/programs/handshake.hpp"
#include "tests/hosts/programs/loaded_before.hpp"

using namespace hsmtls::test;

int main(int argc, char** argv) {
  const std::string folder = argv[1];
  for (int i = 2; i < argc; ++i) load_before(argv[i]);
  try {
    for (const char* name : {"ec", "rsa"}) {
      hsmtls::identity_options options;
      options.key = std::string("pkcs11:token=edge;object=") + name;
      options.certificate = folder + "/" + name + ".pem";
      const hsmtls::identity device = hsmtls::identity::open(options);
      for (const auto kind : {hsmtls::key_kind::provider, hsmtls::key_kind::hybrid}) {
        const hsmtls::evp_pkey_ptr key = device.evp_pkey(kind);
        handshake(folder, device_context(folder, name, key.get()).get());
      }
      hsmtls::tls_options client;
      client.server_name = "localhost";
      client.trust.file = folder + "/ca.pem";
      handshake(folder, device.make_ssl_ctx(client).get());
    }
  } catch (const std::exception& problem) {
    std::printf("failed: %s\n", problem.what());
    return 1;
  }
  Dl_info own;
  dladdr(TLS_method(), &own);
  std::printf("own: %s\nwhere: %s\n", own.dli_fname, hsmtls::openssl_in_use());
}
