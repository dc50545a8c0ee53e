// The language: what is refused, and with which words; where scripts come from.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "fixture.hpp"

namespace hsmtls::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class scratch_folder {
 public:
  scratch_folder() {
    std::filesystem::create_directories(HSMTLS_TEST_SCRATCH);
    std::string name = HSMTLS_TEST_SCRATCH "/chaos-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

void append(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

class Scripts : public chaos_over_stub {
 protected:
  std::string complaint(const std::string& script) {
    try {
      control.run(script);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "no complaint";
  }
};

TEST_F(Scripts, AreRefusedWithAHintWhatWasMeant) {
  EXPECT_EQ(complaint("fail C_Sing 3 CKR_DEVICE_ERROR"),
            "fail: 'C_Sing' is not a PKCS#11 function; did you mean C_Sign?");
  EXPECT_EQ(complaint("fail C_Sign 3 CKR_DEVICE_EROR"),
            "fail: 'CKR_DEVICE_EROR' is not a CKR_ value; did you mean CKR_DEVICE_ERROR?");
  EXPECT_EQ(complaint("drop-session"),
            "'drop-session' is not a command; did you mean drop-sessions?");
  EXPECT_EQ(complaint("make-coffee"), "'make-coffee' is not a command");
  EXPECT_EQ(complaint("pin-flags count-lo"),
            "pin-flags: 'count-lo' is not a PIN flag; did you mean count-low?");
}

TEST_F(Scripts, AreRefusedWhenSomethingIsMissingOrLeftOver) {
  EXPECT_EQ(complaint("fail"), "fail: the function is missing");
  EXPECT_EQ(complaint("fail C_Sign"), "fail: which call (3, 3.., 3..5 or *) is missing");
  EXPECT_EQ(complaint("fail C_Sign 3"), "fail: the CKR_ value is missing");
  EXPECT_EQ(complaint("fail C_Sign 3 CKR_OK now"), "fail: does not know what to do with 'now'");
  EXPECT_EQ(complaint("replace-key 01"), "replace-key: pin= is missing");
  EXPECT_EQ(complaint("pin-pad pin="), "pin-pad: pin= has no value");
  EXPECT_EQ(complaint("pin-flags"),
            "pin-flags: a flag (count-low, final-try, locked, to-be-changed, so-final-try, "
            "so-locked, none) is missing");
  EXPECT_EQ(complaint("write-counts"),
            "write-counts: no file is named, nor is HSMTLS_CHAOS_COUNTS set");
}

TEST_F(Scripts, AreRefusedWhenAValueMakesNoSense) {
  EXPECT_THAT(complaint("fail C_Sign 0 CKR_OK"), HasSubstr("does not say which call"));
  EXPECT_THAT(complaint("fail C_Sign 5..3 CKR_OK"), HasSubstr("does not say which call"));
  EXPECT_THAT(complaint("fail C_Sign -1 CKR_OK"), HasSubstr("does not say which call"));
  EXPECT_THAT(complaint("fail C_Sign 1 0xzz"), HasSubstr("is not a CKR_ value"));
  EXPECT_THAT(complaint("delay C_Sign 50"), HasSubstr("is not a duration"));
  EXPECT_THAT(complaint("delay C_Sign ms"), HasSubstr("is not a duration"));
  EXPECT_THAT(complaint("drop-sessions-every 0 C_Sign"), HasSubstr("is not a number of calls"));
  EXPECT_THAT(complaint("remove-token slot=one"), HasSubstr("is not a slot ID"));
  EXPECT_THAT(complaint("replace-key 1 pin=1234"), HasSubstr("half a byte"));
  EXPECT_THAT(complaint("replace-key zz pin=1234"), HasSubstr("is not hexadecimal"));
  EXPECT_THAT(complaint("limit-sessions none"), HasSubstr("is not a number of sessions"));
  EXPECT_THAT(complaint("return-token serial=12345678901234567"), HasSubstr("at most 16"));
  EXPECT_THAT(complaint("pin-pad pin=\"12"), HasSubstr("never closed"));
}

TEST_F(Scripts, RunAsAWholeOrNotAtAll) {
  EXPECT_NE(complaint("fail C_SignInit * CKR_DEVICE_ERROR; nonsense"), "no complaint");
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Scripts, MayHaveCommentsBlankLinesAndQuotes) {
  control.run(
      "# nothing here\n\n  ;; fail C_SignInit 1 CKR_DEVICE_ERROR # the first\n"
      "fail C_SignInit 2 CKR_DEVICE_MEMORY;pin-pad pin=\"12 ;34\"\n");
  EXPECT_EQ(sign(), CKR_DEVICE_ERROR);
  EXPECT_EQ(sign(), CKR_DEVICE_MEMORY);
  EXPECT_EQ(sign(), CKR_OK);
}

TEST_F(Scripts, CountEveryCallThatTheApplicationMakes) {
  control.run("fail C_Sign 1 CKR_DEVICE_ERROR");
  sign();
  EXPECT_EQ(control.count("C_SignInit"), 1U);
  EXPECT_EQ(control.count("C_Sign"), 1U);
  EXPECT_EQ(control.count("C_Sign CKR_DEVICE_ERROR"), 1U);
  EXPECT_EQ(control.total(), 2U);
  // Commands use the vendor directly.
  control.run("drop-sessions");
  EXPECT_EQ(control.count("C_CloseAllSessions"), 0U);
  control.reset();
  EXPECT_EQ(control.total(), 0U);
  EXPECT_EQ(control.count("C_Sign CKR_DEVICE_ERROR"), 0U);
}

TEST_F(Scripts, CannotAskForTheCountOfAMisspeltFunction) {
  EXPECT_EQ(control.count("C_Sing"), UINT64_MAX);
}

TEST_F(Scripts, WriteTheCountsWhenAsked) {
  const scratch_folder scratch;
  control.run("fail C_SignInit 2 CKR_DEVICE_ERROR");
  sign();
  sign();
  control.run("write-counts " + scratch / "counts");
  EXPECT_EQ(
      text_of(scratch / "counts"),
      "C_SignInit 2\nC_SignInit CKR_OK 1\nC_SignInit CKR_DEVICE_ERROR 1\nC_Sign 1\ntotal 3\n");
  EXPECT_THAT(complaint("write-counts " + scratch / "no/such/folder"), HasSubstr("No such file"));
}

// Tests below look at what happens at load, so each loads the module in its own way, once per
// process.

class Environment : public testing::Test {
 protected:
  scratch_folder scratch;
};

TEST_F(Environment, GivesTheFirstScript) {
  const module_under_test module(
      chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR, "fail C_Initialize 1 CKR_HOST_MEMORY"));
  EXPECT_EQ(module->C_Initialize(nullptr), CKR_HOST_MEMORY);
  EXPECT_EQ(module->C_Initialize(nullptr), CKR_OK);
}

TEST_F(Environment, WithABadScriptIsRefused) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(module_under_test(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR, "fail C_Sing *")),
               std::runtime_error);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "hsmtls-chaos: HSMTLS_CHAOS: fail: 'C_Sing' is not a PKCS#11 function; did you mean "
            "C_Sign?\n");
  EXPECT_THROW(chaos().run("clear"), std::invalid_argument);
}

TEST_F(Environment, WithoutAVendorIsRefused) {
  unsetenv("HSMTLS_CHAOS_MODULE");
  testing::internal::CaptureStderr();
  EXPECT_THROW(module_under_test(HSMTLS_TEST_CHAOS), std::runtime_error);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("HSMTLS_CHAOS_MODULE does not name"));
}

TEST_F(Environment, ThatNamesTheChaosModuleItselfIsRefused) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(module_under_test(chaos::in_front_of(HSMTLS_TEST_CHAOS)), std::runtime_error);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the chaos module itself"));
}

TEST_F(Environment, ThatNamesNoPkcs11ModuleIsRefused) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(module_under_test(chaos::in_front_of("libc.so.6")), std::runtime_error);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("not a PKCS#11 module"));
}

TEST_F(Environment, NamesAFileWhoseLinesAreRunAsTheyCome) {
  const std::string file = scratch / "commands";
  append(file, "fail C_GetInfo 1 CKR_HOST_MEMORY\n");
  setenv("HSMTLS_CHAOS_FILE", file.c_str(), 1);
  const module_under_test module(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR));
  ASSERT_EQ(module->C_Initialize(nullptr), CKR_OK);
  CK_INFO info;
  EXPECT_EQ(module->C_GetInfo(&info), CKR_HOST_MEMORY);
  EXPECT_EQ(module->C_GetInfo(&info), CKR_OK);

  append(file, "fail C_GetInfo 1 CKR_DEVICE_");  // a line that is not complete yet
  EXPECT_EQ(module->C_GetInfo(&info), CKR_OK);
  append(file, "ERROR\n");
  EXPECT_EQ(module->C_GetInfo(&info), CKR_DEVICE_ERROR);

  testing::internal::CaptureStderr();
  append(file, "fial\nclear\n");
  EXPECT_EQ(module->C_GetInfo(&info), CKR_OK);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "hsmtls-chaos: " + file + ":3: 'fial' is not a command; did you mean fail?\n");

  std::filesystem::remove(file);
  EXPECT_EQ(module->C_GetInfo(&info), CKR_OK);
  append(file, "fail C_GetInfo * CKR_DEVICE_MEMORY\n");
  EXPECT_EQ(module->C_GetInfo(&info), CKR_DEVICE_MEMORY);
}

TEST_F(Environment, NamesAFileThatReleasesAHungCall) {
  const std::string file = scratch / "commands";
  setenv("HSMTLS_CHAOS_FILE", file.c_str(), 1);
  const module_under_test module(
      chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR, "hang C_Initialize 1"));
  auto hung = std::async(std::launch::async, [&] { return module->C_Initialize(nullptr); });
  EXPECT_EQ(hung.wait_for(50ms), std::future_status::timeout);
  append(file, "release\n");
  EXPECT_EQ(hung.get(), CKR_OK);
}

TEST_F(Environment, NamesAFileThatGetsTheCountsAtExit) {
  const std::string file = scratch / "counts.%p";
  const pid_t child = fork();
  if (child == 0) {
    setenv("HSMTLS_CHAOS_COUNTS", file.c_str(), 1);
    const module_under_test module(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR));
    module->C_Initialize(nullptr);
    module->C_Initialize(nullptr);
    exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text_of(scratch / ("counts." + std::to_string(child)).c_str()),
            "C_Initialize 2\nC_Initialize CKR_OK 1\n"
            "C_Initialize CKR_CRYPTOKI_ALREADY_INITIALIZED 1\nC_GetFunctionList 1\ntotal 2\n");
}

TEST_F(Environment, IsIgnoredInASetUidProgram) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make a set-uid program for another user";
  const std::string probe = scratch / "probe";
  std::filesystem::copy_file(HSMTLS_TEST_LOAD_PROBE, probe);
  ASSERT_EQ(chmod(probe.c_str(), 04755), 0);
  chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR);
  const std::string output = scratch / "output";
  const auto run_as = [&](uid_t user) {
    const pid_t child = fork();
    if (child == 0) {
      // By descriptor: the user may not be allowed to walk down to the scratch folder.
      const int program = open(probe.c_str(), O_PATH);
      if (freopen(output.c_str(), "w", stderr) == nullptr || setresuid(user, user, user) != 0)
        _exit(1);
      char* const argv[] = {
          const_cast<char*>("probe"), const_cast<char*>(HSMTLS_TEST_CHAOS), nullptr};
      fexecve(program, argv, environ);
      _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  EXPECT_EQ(run_as(0), 0) << text_of(output);
  const int refused = run_as(65534);
  if (refused == 3) GTEST_SKIP() << "the build folder is on a file system mounted nosuid";
  EXPECT_EQ(refused, 5) << text_of(output);  // CKR_GENERAL_ERROR
  EXPECT_THAT(text_of(output),
              HasSubstr("hsmtls-chaos: refuses to work in a set-uid or set-gid program"));
}

TEST_F(Environment, OutlivesAFork) {
  const module_under_test module(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR));
  const chaos control;
  ASSERT_EQ(module->C_Initialize(nullptr), CKR_OK);
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      CK_INFO info;
      while (!done) {
        control.run("fail C_GetInfo 2 CKR_DEVICE_ERROR; delay C_GetInfo 1 100us");
        module->C_GetInfo(&info);
        module->C_GetInfo(&info);
        control.run("clear");
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      control.reset();
      CK_INFO info;
      const bool fine = module->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED &&
                        module->C_Initialize(nullptr) == CKR_OK &&
                        module->C_GetInfo(&info) == CKR_OK && control.count("C_GetInfo") == 2;
      _exit(fine ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  done = true;
  for (auto& each : threads) each.join();
}

}  // namespace
}  // namespace hsmtls::test
