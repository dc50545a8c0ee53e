#include <hsmtls/openssl.hpp>

int main(int, char** argv) {
  const auto device = hsmtls::identity::open({argv[1]});  // "pkcs11:token=edge;object=device-key"
  const auto context = device.make_ssl_ctx({hsmtls::role::client, argv[2]});  // "gateway.example"
  BIO* const gateway = BIO_new_ssl_connect(context.get());
  BIO_set_conn_hostname(gateway, argv[3]);  // "gateway.example:443"
  SSL* ssl = nullptr;
  BIO_get_ssl(gateway, &ssl);
  std::puts(hsmtls::explain(ssl, BIO_do_connect(gateway)).message());  // "": peer and name verified
}
