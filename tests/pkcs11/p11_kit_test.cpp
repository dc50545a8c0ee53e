// HSMTLS_MODULE names p11-kit-proxy, which is no vendor's module: with hsmtls among the modules of
// p11-kit it leads back to us, without it C_Finalize goes nowhere.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr auto proxy = "p11-kit-proxy.so";

class NamedP11KitProxy : public testing::Test {
 protected:
  NamedP11KitProxy() {
    std::string name = HSMTLS_TEST_SCRATCH "/p11-kit-XXXXXX";
    EXPECT_NE(nullptr, mkdtemp(name.data()));
    folder = name;
    chmod(folder.c_str(), 0777);  // NOLINT: an unprivileged user writes the log
  }
  ~NamedP11KitProxy() override { fs::remove_all(folder); }

  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "p11-kit unloads our module, and the sanitizers' reports lose its names";
#endif
    if (dlopen(proxy, RTLD_LAZY | RTLD_LOCAL) == nullptr)
      GTEST_SKIP() << "p11-kit-proxy.so is not installed";
    register_with_p11_kit(HSMTLS_TEST_FRONT);
    if (!find_user()) GTEST_SKIP() << "no unprivileged user can read " << HSMTLS_TEST_FRONT;
  }

  // The only module that p11-kit knows.
  void register_with_p11_kit(const std::string& module) const {
    const fs::path config = folder / "pkcs11";
    fs::create_directories(config / "modules");
    std::ofstream(config / "pkcs11.conf") << "user-config: only\n";
    std::ofstream(config / "modules" / "only.module") << "module: " << module << "\n";
  }

  // p11-kit ignores root's own configuration: the program runs as nobody, or as somebody in a user
  // namespace where nobody may not read the build folder.
  bool find_user() {
    const std::vector<std::vector<std::string>> users =
        geteuid() != 0
            ? std::vector<std::vector<std::string>>{{}}
            : std::vector<std::vector<std::string>>{
                  {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"},
                  {"/usr/bin/unshare", "--user", "--map-user=1000", "--map-group=1000"}};
    const std::string config = folder / "pkcs11" / "pkcs11.conf";
    for (const auto& one : users) {
      if (!one.empty() && access(one[0].c_str(), X_OK) != 0) continue;
      std::vector<std::string> command = one;
      const std::string script = std::string("cat '") + HSMTLS_TEST_FRONT + "' '" + config +
                                 "' >/dev/null && test -x '" + HSMTLS_TEST_CALL_MODULE + "'";
      command.insert(command.end(), {"/bin/sh", "-c", script});
      if (!run_program(command).fine()) continue;
      user = one;
      return true;
    }
    return false;
  }

  // A program that loads `module` and lists its tokens, with HSMTLS_MODULE=p11-kit-proxy.so.
  ending run(const std::string& module) const {
    std::vector<std::string> command = user;
    command.insert(command.end(), {HSMTLS_TEST_CALL_MODULE, module});
    return run_program(command,
                       {{"HSMTLS_MODULE", proxy},
                        {"HSMTLS_LOG", folder / "log"},
                        {"XDG_CONFIG_HOME", folder},
                        {"HOME", folder}},
                       seconds(20));
  }
  std::string log() const {
    std::ostringstream out;
    out << std::ifstream(folder / "log").rdbuf();
    return out.str();
  }

  static size_t occurrences(const std::string& text, const std::string& of) {
    size_t found = 0;
    for (size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++found;
    return found;
  }

  fs::path folder;
  std::vector<std::string> user;
};

TEST_F(NamedP11KitProxy, IsFoundOutSaidAndRefusedWhereItLeadsBackToUs) {
  const ending ended = run(HSMTLS_TEST_FRONT);
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_EQ(1U,
            occurrences(ended.output,
                        "HSMTLS_MODULE or the program names a module that calls hsmtls in turn"))
      << ended;
  EXPECT_EQ(1U, occurrences(ended.output, ", 0 tokens")) << ended;
  EXPECT_LT(ended.took, seconds(10)) << "it waits for itself";
}

// Here p11-kit notices first: it initialises itself for us without any module.
TEST_F(NamedP11KitProxy, ShowsNoTokenAndAWarningInTheLogWhenTheApplicationItselfCameThroughIt) {
  const ending ended = run(proxy);
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_EQ(1U, occurrences(ended.output, ", 0 tokens")) << ended;
  EXPECT_EQ(1U, occurrences(log(), " warning proxy module=p11-kit-proxy.so ")) << log();
  EXPECT_LT(ended.took, seconds(10)) << "it waits for itself";
}

TEST_F(NamedP11KitProxy, WorksWithAWarningInTheLogWhereOnlyTheVendorIsRegistered) {
  register_with_p11_kit(HSMTLS_TEST_STUB_VENDOR);
  const ending ended = run(HSMTLS_TEST_FRONT);
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_EQ(0U, occurrences(ended.output, "calls hsmtls in turn")) << ended;
  EXPECT_EQ(1U, occurrences(ended.output, ", 2 tokens")) << ended;
  EXPECT_EQ(1U, occurrences(log(), " warning proxy module=p11-kit-proxy.so ")) << log();
}

}  // namespace
}  // namespace hsmtls::test
