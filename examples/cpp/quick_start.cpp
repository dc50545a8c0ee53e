#include <hsmtls/openssl.hpp>

int main(int, char** argv) {
  const auto device = hsmtls::identity::open({argv[1]});  // "pkcs11:token=edge;object=device-key"
  const auto context = device.make_ssl_ctx({hsmtls::role::client, argv[2]});  // "gateway.example"
  SSL* const ssl = SSL_new(context.get());
  SSL_set_tlsext_host_name(ssl, argv[2]);
  BIO* const gateway = BIO_new_connect(argv[3]);  // "gateway.example:443"
  SSL_set_bio(ssl, gateway, gateway);
  std::puts(hsmtls::explain(ssl, SSL_connect(ssl)).message());  // "": peer and name verified
}
