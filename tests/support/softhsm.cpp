#include "tests/support/softhsm.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>
#include <vector>

extern char** environ;

namespace hsmtls::test {
namespace {

void run(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0) {
    throw std::runtime_error("cannot start " + arguments.front());
  }
  int status = 0;
  while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(arguments.front() + " " + arguments.at(1) + " failed; see stderr");
  }
}

}  // namespace

std::string softhsm_module() {
  if (const char* given = std::getenv("HSMTLS_TEST_SOFTHSM")) return given;
  for (const char* file : {"/usr/lib/softhsm/libsofthsm2.so",
                           "/usr/lib64/softhsm/libsofthsm2.so",
                           "/usr/lib64/pkcs11/libsofthsm2.so",
                           "/usr/local/lib/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(file)) return file;
  }
  return {};
}

softhsm_token::softhsm_token(softhsm_options options) : options_(std::move(options)) {
  if (softhsm_module().empty()) throw std::runtime_error("SoftHSM is not installed");
  std::filesystem::create_directories(HSMTLS_TEST_SCRATCH);
  std::string name = HSMTLS_TEST_SCRATCH "/softhsm-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  folder_ = name;
  std::filesystem::create_directory(folder_ / "tokens");
  std::ofstream(configuration()) << "directories.tokendir = " << (folder_ / "tokens").string()
                                 << "\nobjectstore.backend = file\nlog.level = ERROR\n";
  setenv("SOFTHSM2_CONF", configuration().c_str(), 1);
  admin("init", options_.label, "", "");
}

softhsm_token::~softhsm_token() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void softhsm_token::admin(const std::string& what,
                          const std::string& token_label,
                          const std::string& key_label,
                          const std::string& id) const {
  // Another token may have been made since, and with it another SOFTHSM2_CONF.
  run({HSMTLS_TEST_SOFTHSM_ADMIN,
       what,
       softhsm_module(),
       configuration().string(),
       token_label,
       options_.so_pin,
       options_.user_pin,
       key_label,
       id});
}

void softhsm_token::generate_ec_p256(const std::string& key_label, const std::string& id) const {
  admin("ec", options_.label, key_label, id);
}

void softhsm_token::generate_rsa_2048(const std::string& key_label, const std::string& id) const {
  admin("rsa", options_.label, key_label, id);
}

std::filesystem::path softhsm_token::add_token(const std::string& label) const {
  const auto folders = [&] {
    std::set<std::filesystem::path> all;
    for (const auto& one : std::filesystem::directory_iterator(folder_ / "tokens"))
      all.insert(one.path());
    return all;
  };
  const auto before = folders();
  admin("init", label, "", "");
  for (const auto& one : folders()) {
    if (!before.contains(one)) return one;
  }
  throw std::runtime_error("SoftHSM made no folder for token " + label);
}

void softhsm_token::move_away() const {
  std::filesystem::rename(folder_ / "tokens", folder_ / "tokens.away");
}

void softhsm_token::move_back() const {
  std::filesystem::rename(folder_ / "tokens.away", folder_ / "tokens");
}

}  // namespace hsmtls::test
