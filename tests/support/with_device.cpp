// Runs a command as a device whose keys are in a token: what the tests of a runtime start from.
//
//   hsmtls_with_device COMMAND [ARGUMENT…]
//
// The token "edge" has the keys "ec" and "rsa" and, with their CKA_IDs, certificates by an intermediate
// authority, which is in the token, too. In the folder HSMTLS_TEST_FOLDER are ec-chain.pem and
// rsa-chain.pem (leaf and intermediate), the root's ca.pem, and a peer "localhost" with a software key
// (server.pem, server.key). HSMTLS_MODULE, HSMTLS_PIN_SOURCE and SOFTHSM2_CONF are set as a user would
// set them, but that the chaos module is in front of SoftHSM: a line that is appended to the file
// HSMTLS_CHAOS_FILE is a command for it ("drop-sessions"). Exit status: the command's, 77 without SoftHSM.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <sstream>

#include "tests/support/chaos.hpp"
#include "tests/support/device.hpp"
#include "tests/support/identities.hpp"

extern char** environ;

namespace hsmtls::test {
namespace {

// Stores the first certificate of a file of the device's in the token.
void store(const device& in, const std::string& file, const std::string& uri) {
  std::ostringstream pem;
  pem << std::ifstream(in.file(file)).rdbuf();
  static const std::string end = "-----END CERTIFICATE-----\n";
  const std::string text = pem.str().substr(0, pem.str().find(end) + end.size());
  const answer stored = import_certificate(
      {.key = uri, .pin_source = in.pin_source(), .module = softhsm_module()}, text);
  if (!stored.fine()) throw std::runtime_error(stored.message);
}

int run(char** command) {
  pid_t child = 0;
  if (const int why = posix_spawnp(&child, command[0], nullptr, nullptr, command, environ)) {
    std::fprintf(stderr, "%s: %s\n", command[0], std::strerror(why));
    return 127;
  }
  int status = 0;
  while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int with_device(char** command) {
  const device made;
  store(made, "ec-chain.pem", device::uri("ec"));
  store(made, "rsa-chain.pem", device::uri("rsa"));
  store(made, "intermediate.pem", "pkcs11:token=edge;object=device-ca;id=%10");
  const std::filesystem::path chaos_file = made.file("chaos");
  std::ofstream(chaos_file) << "";
  for (const auto& [name, value] : made.environment()) setenv(name.c_str(), value.c_str(), 1);
  setenv("HSMTLS_MODULE", chaos::in_front_of(softhsm_module()).c_str(), 1);
  setenv("HSMTLS_CHAOS_FILE", chaos_file.c_str(), 1);
  setenv("HSMTLS_TEST_FOLDER", made.token().folder().c_str(), 1);
  return run(command);
}

}  // namespace
}  // namespace hsmtls::test

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s COMMAND [ARGUMENT…]\n", argv[0]);
    return 2;
  }
  if (hsmtls::test::softhsm_module().empty()) {
    std::printf("skipped: SoftHSM is not installed\n");
    return 77;
  }
  try {
    return hsmtls::test::with_device(argv + 1);
  } catch (const std::exception& why) {
    std::fprintf(stderr, "%s: %s\n", argv[0], why.what());
    return 1;
  }
}
