#include <hsmtls/openssl.hpp>
#include <iostream>

int main() {
  std::cout << "hsmtls " << hsmtls::library_version() << '\n'
            << hsmtls::write_reference_pem("pkcs11:object=device") << hsmtls::openssl_in_use()
            << '\n';
}
