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
    const ending ended =
        run_program({host, HSMTLS_TEST_FRONT}, {{"HSMTLS_MODULE", HSMTLS_TEST_BINDING_VENDOR}});
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
  ASSERT_EQ(0, chmod(program.c_str(), 04755));
  const fs::path file = folder / "log";
  const ending ended =
      run_program({program, HSMTLS_TEST_FRONT},
                  {{"HSMTLS_MODULE", HSMTLS_TEST_STUB_VENDOR}, {"HSMTLS_LOG", file}});
  if (occurrences(ended.output, "Permission denied") > 0)
    GTEST_SKIP() << "others may not read the build folder";
  EXPECT_TRUE(ended.fine()) << ended;
  EXPECT_EQ(1U, occurrences(ended.output, "HSMTLS_MODULE is ignored in a set-uid")) << ended;
  EXPECT_EQ(1U, occurrences(ended.output, "C_Initialize: 0x5")) << ended;
  EXPECT_FALSE(fs::exists(file));
}

}  // namespace
}  // namespace hsmtls::test
