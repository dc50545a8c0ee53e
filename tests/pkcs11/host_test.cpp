// What the module does to the program that it is loaded into, and what that program's user is told.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

namespace fs = std::filesystem;

size_t occurrences(const std::string& text, const std::string& of) {
  size_t found = 0;
  for (size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++found;
  return found;
}

class DlopenFlags : public testing::Test {
 protected:
  static std::string bound_to(const std::string& host) {
    return bound_in({host, HSMTLS_TEST_FRONT}, {});
  }

  // In a program that is not ours. `own_call`: it calls hsmtls_test_load itself; others get the
  // module before their main function.
  static std::string bound_in_foreign(const std::vector<std::string>& command,
                                      bool own_call = false) {
    std::map<std::string, std::string> environment{{"LD_PRELOAD", HSMTLS_TEST_PRELOADED}};
    if (!own_call) environment.emplace("HSMTLS_TEST_LOAD_AT_START", HSMTLS_TEST_FRONT);
    return bound_in(command, environment);
  }

  // The first program of this name on PATH that is an ELF file (a shim is a script); or nothing.
  static std::string program(const std::string& name) {
    const char* path = getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');) {
      const fs::path file = fs::path(folder) / name;
      char magic[4] = {};
      std::ifstream(file, std::ios::binary).read(magic, sizeof magic);
      if (std::string_view(magic, sizeof magic) == "\177ELF" && access(file.c_str(), X_OK) == 0)
        return file;
    }
    return {};
  }

 private:
  static std::string bound_in(const std::vector<std::string>& command,
                              std::map<std::string, std::string> environment) {
    environment.emplace("HSMTLS_MODULE", HSMTLS_TEST_BINDING_VENDOR);
    const ending ended = run_program(command, environment);
    EXPECT_TRUE(ended.fine()) << ended;
    const std::string words = "bound to: ";
    const size_t at = ended.output.find(words);
    if (at == std::string::npos) return ended.output;
    return ended.output.substr(at + words.size(), ended.output.find('\n', at) - at - words.size());
  }
};

TEST_F(DlopenFlags, AreOrdinaryInAnOrdinaryProgram) {
  EXPECT_EQ("program", bound_to(HSMTLS_TEST_PLAIN_HOST));
}

TEST_F(DlopenFlags, BindDeeplyInAProgramThatHasALibcryptoOfItsOwn) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers refuse RTLD_DEEPBIND";
#endif
  EXPECT_EQ("own", bound_to(HSMTLS_TEST_CRYPTO_HOST));
}

TEST_F(DlopenFlags, AreOrdinaryInANonPieProgramThatLinksLibcrypto) {
  EXPECT_EQ("program", bound_to(HSMTLS_TEST_NON_PIE_HOST));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP_WITHOUT_FOREIGN_PROGRAMS() \
  GTEST_SKIP() << "a sanitizer's runtime does not come second into a program"
#else
#define SKIP_WITHOUT_FOREIGN_PROGRAMS() static_assert(true)
#endif

TEST_F(DlopenFlags, AreOrdinaryInCurl) {
  SKIP_WITHOUT_FOREIGN_PROGRAMS();
  const std::string curl = program("curl");
  if (curl.empty()) GTEST_SKIP() << "curl is not installed";
  EXPECT_EQ("program", bound_in_foreign({curl, "--version"}));
}

TEST_F(DlopenFlags, AreOrdinaryInPythonThatUsesSsl) {
  SKIP_WITHOUT_FOREIGN_PROGRAMS();
  const std::string python = program("python3");
  if (python.empty()) GTEST_SKIP() << "python3 is not installed";
  const std::string script =
      "import ssl, ctypes\n"
      "load = ctypes.CDLL('" HSMTLS_TEST_PRELOADED
      "').hsmtls_test_load\n"
      "load.restype = ctypes.c_long\n"
      "assert load(b'" HSMTLS_TEST_FRONT "') == 0\n";
  EXPECT_EQ("program", bound_in_foreign({python, "-c", script}, true));
}

TEST_F(DlopenFlags, BindDeeplyInANodeThatHasALibcryptoOfItsOwn) {
  SKIP_WITHOUT_FOREIGN_PROGRAMS();
  const std::string node = program("node");
  if (node.empty()) GTEST_SKIP() << "node is not installed";
  const ending shared = run_program(
      {node, "-p", "'libcrypto of the system: ' + process.config.variables.node_shared_openssl"});
  ASSERT_TRUE(shared.fine()) << shared;
  const bool of_the_system = occurrences(shared.output, "libcrypto of the system: true") > 0;
  EXPECT_EQ(of_the_system ? "program" : "own", bound_in_foreign({node, "--version"}));
}

class Complaints : public testing::Test {
 protected:
  static std::string said_with(const std::string& module,
                               std::map<std::string, std::string> environment = {}) {
    environment.emplace("HSMTLS_MODULE", module);
    const ending ended = run_program({HSMTLS_TEST_CALL_MODULE, HSMTLS_TEST_FRONT}, environment);
    EXPECT_TRUE(ended.fine()) << ended;
    return ended.output;
  }
};

TEST_F(Complaints, AreSaidOnce) {
  const std::string said = said_with("");
  EXPECT_EQ(1U, occurrences(said, "HSMTLS_MODULE is not set")) << said;
  EXPECT_EQ(1U, occurrences(said, "C_Initialize: 0x5")) << said;
}

TEST_F(Complaints, NameAFileThatIsNoLibrary) {
  const std::string said = said_with("/etc/passwd");
  EXPECT_EQ(1U, occurrences(said, "HSMTLS_MODULE: '/etc/passwd' is not a PKCS#11 module: "))
      << said;
  EXPECT_EQ(1U, occurrences(said, "invalid ELF header")) << said;
}

TEST_F(Complaints, NameALibraryThatIsNoModule) {
  const std::string said = said_with("libm.so.6");
  EXPECT_EQ(
      1U,
      occurrences(
          said, "HSMTLS_MODULE: 'libm.so.6' is not a PKCS#11 module: it has no C_GetFunctionList"))
      << said;
}

TEST_F(Complaints, NameAFileThatIsNotThere) {
  const std::string said = said_with("/nonexistent/vendor.so");
  EXPECT_EQ(1U, occurrences(said, "HSMTLS_MODULE: '/nonexistent/vendor.so' cannot be loaded: "))
      << said;
  EXPECT_EQ(1U, occurrences(said, "No such file")) << said;
}

TEST_F(Complaints, NameTheBadOneOfTwoAndGoOnWithTheOther) {
  const std::string said = said_with(std::string("/etc/passwd:") + HSMTLS_TEST_STUB_VENDOR);
  EXPECT_EQ(1U, occurrences(said, "'/etc/passwd' is not a PKCS#11 module")) << said;
  EXPECT_EQ(1U, occurrences(said, "C_Initialize: 0x0")) << said;
}

TEST_F(Complaints, AboutABadDeadline) {
  const std::string said = said_with(HSMTLS_TEST_STUB_VENDOR, {{"HSMTLS_DEADLINE_MS", "soon"}});
  EXPECT_EQ(1U, occurrences(said, "HSMTLS_DEADLINE_MS is 'soon'")) << said;
  EXPECT_EQ(1U, occurrences(said, "C_Initialize: 0x0")) << said;
}

class LogFile : public Complaints {
 protected:
  LogFile() {
    std::string name = HSMTLS_TEST_SCRATCH "/log-XXXXXX";
    EXPECT_NE(nullptr, mkdtemp(name.data()));
    folder = name;
  }
  ~LogFile() override { fs::remove_all(folder); }

  static std::string text_of(const fs::path& file) {
    std::ostringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
  }

  fs::path folder;
};

TEST_F(LogFile, IsReadableByItsOwnerOnlyAndGetsTheComplaints) {
  const fs::path file = folder / "log";
  const std::string said = said_with("/etc/passwd", {{"HSMTLS_LOG", file}});
  struct stat info {};
  ASSERT_EQ(0, stat(file.c_str(), &info));
  EXPECT_EQ(0600U, info.st_mode & 0777U);
  EXPECT_EQ(
      1U,
      occurrences(text_of(file),
                  " error setup problem=\"HSMTLS_MODULE: '/etc/passwd' is not a PKCS#11 module"));
  EXPECT_EQ(1U, occurrences(said, "is not a PKCS#11 module")) << "on stderr, too";
}

TEST_F(LogFile, IsAppendedTo) {
  const fs::path file = folder / "log";
  for (int i = 0; i < 2; ++i) said_with("/etc/passwd", {{"HSMTLS_LOG", file}});
  EXPECT_EQ(2U, occurrences(text_of(file), " error setup "));
}

TEST_F(LogFile, IsNotWrittenThroughASymbolicLink) {
  const fs::path target = folder / "target";
  fs::create_symlink(target, folder / "log");
  const std::string said = said_with(HSMTLS_TEST_STUB_VENDOR, {{"HSMTLS_LOG", folder / "log"}});
  EXPECT_FALSE(fs::exists(target));
  EXPECT_EQ(1U, occurrences(said, "HSMTLS_LOG: '")) << said;
  EXPECT_EQ(1U, occurrences(said, "it is a symbolic link")) << said;
  EXPECT_EQ(1U, occurrences(said, "C_Initialize: 0x0")) << said;
}

TEST_F(LogFile, MayBeStderr) {
  const std::string said = said_with("/etc/passwd", {{"HSMTLS_LOG", "stderr"}});
  EXPECT_EQ(1U, occurrences(said, "is not a PKCS#11 module")) << "once, as a log line: " << said;
  EXPECT_EQ(1U, occurrences(said, " error setup problem=")) << said;
}

TEST_F(LogFile, AndAllOtherVariablesAreIgnoredInASetUidProgram) {
  if (geteuid() != 0)
    GTEST_SKIP() << "needs root, to make a program that is set-uid to somebody else";
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "LeakSanitizer may not look into a set-uid program";
#endif
  const fs::path program = folder / "call_module";
  fs::copy_file(HSMTLS_TEST_CALL_MODULE, program);
  constexpr uid_t nobody = 65534;
  ASSERT_EQ(0, chown(program.c_str(), nobody, nobody));
  ASSERT_EQ(0, chown(folder.c_str(), nobody, nobody));
  ASSERT_EQ(0, chmod(folder.c_str(), 0755));
  const fs::path file = folder / "log";
  // Each variable with a value that shows wherever it is read.
  const auto run = [&](const char* name, const std::string& value) {
    return run_program({program, HSMTLS_TEST_FRONT, "pkcs11:token=stub-a;object=device"},
                       {{"HSMTLS_MODULE", HSMTLS_TEST_STUB_VENDOR}, {name, value}});
  };
  const struct {
    const char* name;
    std::string value;
    std::string sign;  // that it was read
  } variables[] = {{"HSMTLS_LOG", file, "-"},
                   {"HSMTLS_PIN_SOURCE", "nonsense", "the PIN source is not usable"},
                   {"HSMTLS_DEADLINE_MS", "soon", "HSMTLS_DEADLINE_MS is 'soon'"},
                   {"HSMTLS_FINAL_TRY", "perhaps", "HSMTLS_FINAL_TRY is 'perhaps'"}};
  for (const bool set_uid : {false, true}) {
    ASSERT_EQ(0, chmod(program.c_str(), set_uid ? 04755 : 0755));
    for (const auto& one : variables) {
      SCOPED_TRACE(std::string(one.name) + (set_uid ? ", set-uid" : ", not set-uid"));
      const ending ended = run(one.name, one.value);
      if (set_uid && occurrences(ended.output, "Permission denied") > 0)
        GTEST_SKIP() << "others may not read the build folder";
      EXPECT_TRUE(ended.fine()) << ended;
      EXPECT_EQ(set_uid ? 2U : 0U, occurrences(ended.output, "HSMTLS_MODULE is ignored"))
          << "in the error of the private face, and for C_Initialize on stderr: " << ended;
      EXPECT_EQ(1U, occurrences(ended.output, set_uid ? "C_Initialize: 0x5" : "C_Initialize: 0x0"))
          << ended;
      const bool seen =
          one.value == file ? fs::exists(file) : occurrences(ended.output, one.sign) > 0;
      EXPECT_EQ(!set_uid, seen) << ended;
      fs::remove(file);
    }
  }
}

}  // namespace
}  // namespace hsmtls::test
