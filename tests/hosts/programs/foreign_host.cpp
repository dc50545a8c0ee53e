// foreign_host FOLDER deep:LIBCRYPTO deep:LIBSSL: a program with an OpenSSL of its own, which passes
// objects of another copy. Each line says how that was answered.
#include <cstdio>

#include "hsmtls/openssl.hpp"
#include "tests/hosts/programs/loaded_before.hpp"

using namespace hsmtls;

namespace {

void say(const char* what, const diagnostics& problem) {
  std::printf("%s: %s: %s\n", what, problem.name(), problem.message());
}

}  // namespace

int main(int /*argc*/, char** argv) {
  test::load_before(argv[2]);
  const std::string file = test::load_before(argv[3]);
  void* const other = dlopen(file.c_str(), RTLD_NOW);
  const auto other_method = reinterpret_cast<decltype(&TLS_method)>(dlsym(other, "TLS_method"));
  const auto other_new = reinterpret_cast<decltype(&SSL_CTX_new)>(dlsym(other, "SSL_CTX_new"));

  // Nothing is bound by it: the program's own is what is bound afterwards.
  say("halves", detail::call(&hsmtls_openssl_bind, other_method(), EVP_sha256()));
  identity_options options;
  options.key = "pkcs11:token=edge;object=ec";
  options.certificate = std::string(argv[1]) + "/ec.pem";
  diagnostics problem;
  const identity device = identity::open(options, problem);
  if (problem) {
    say("failed", problem);
    return 1;
  }
  say("bind", detail::call(&hsmtls_openssl_bind, other_method(), nullptr));
  SSL_CTX* const foreign = other_new(other_method());
  say("context", detail::call(&hsmtls_same_openssl, foreign));
  device.apply(foreign, problem);
  say("applied", problem);
  std::printf("where: %s\n", openssl_in_use());
}
