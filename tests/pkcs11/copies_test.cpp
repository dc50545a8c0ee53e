// One instance per process, however many files of it are loaded: a wheel's and the system's, say.
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <filesystem>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/fixture.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

namespace fs = std::filesystem;

class Copies : public testing::Test {
 protected:
  Copies() {
    std::string name = HSMTLS_TEST_SCRATCH "/copies-XXXXXX";
    EXPECT_NE(nullptr, mkdtemp(name.data()));
    folder = name;
    setenv("HSMTLS_MODULE", chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR).c_str(), 1);
  }
  ~Copies() override { fs::remove_all(folder); }

  fs::path copy() const {
    const fs::path made = folder / "libhsmtls-pkcs11.so";
    fs::copy_file(HSMTLS_TEST_FRONT, made);
    return made;
  }

  // Two applications that each loaded a file of their own.
  static void expect_one_instance(const fs::path& first_file, const fs::path& second_file) {
    const module_under_test first_module(first_file);
    const module_under_test second_module(second_file);
    EXPECT_EQ(first_module.functions(), second_module.functions());
    EXPECT_EQ(first_module.functions_3_0(), second_module.functions_3_0());
    const chaos trouble;
    {
      const client first(first_module);
      const client second(second_module);
      EXPECT_EQ(1U, trouble.count("C_Initialize"));
      const CK_SESSION_HANDLE session = first.open(first.slot("stub-a"));
      const CK_SESSION_HANDLE other = second.open(second.slot("stub-a"));
      EXPECT_RV(CKR_OK, first.login(session, "1234"));
      EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, second.login(other, "1234"));
      EXPECT_EQ(1U, trouble.count("C_Login"));
      EXPECT_EQ(1U, trouble.count("C_OpenSession")) << "one pool";
      trouble.run("drop-sessions");
      EXPECT_RV(CKR_OK, first.sign(session, first.private_key(session, {0x01}), "data"_b));
      EXPECT_RV(CKR_OK, second.sign(other, second.private_key(other, {0x01}), "data"_b));
    }
    EXPECT_EQ(1U, trouble.count("C_Finalize"));
  }

  fs::path folder;
};

TEST_F(Copies, ACopyThatIsLoadedSecondJoinsTheFirst) {
  expect_one_instance(HSMTLS_TEST_FRONT, copy());
}

TEST_F(Copies, ACopyThatIsLoadedFirstIsJoined) {
  expect_one_instance(copy(), HSMTLS_TEST_FRONT);
}

TEST_F(Copies, ASymbolicLinkIsNoCopy) {
  const fs::path link = folder / "link.so";
  fs::create_symlink(HSMTLS_TEST_FRONT, link);
  expect_one_instance(link, HSMTLS_TEST_FRONT);
}

TEST_F(Copies, AHardLinkIsNoCopy) {
  const fs::path link = folder / "link.so";
  std::error_code failed;
  fs::create_hard_link(HSMTLS_TEST_FRONT, link, failed);
  if (failed) GTEST_SKIP() << "no hard links here: " << failed.message();
  expect_one_instance(HSMTLS_TEST_FRONT, link);
}

TEST_F(Copies, FindEachOtherThroughASymbolThatIsUniqueInTheProcess) {
  void* library = dlopen(HSMTLS_TEST_FRONT, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(nullptr, library) << dlerror();
  void* const first = dlsym(library, "_ZN6hsmtls6pkcs1112process_wideINS0_12instance_tagEE5firstE");
  ASSERT_NE(nullptr, first) << dlerror();
  Dl_info object{};
  const ElfW(Sym)* entry = nullptr;
  ASSERT_NE(0,
            dladdr1(first,
                    &object,
                    const_cast<void**>(reinterpret_cast<const void**>(&entry)),
                    RTLD_DL_SYMENT));
  ASSERT_NE(nullptr, entry);
  EXPECT_EQ(STB_GNU_UNIQUE, ELF64_ST_BIND(entry->st_info)) << "built without -fgnu-unique?";
}

TEST_F(Copies, OfAnotherVersionAreRefusedByName) {
  const module_under_test front(HSMTLS_TEST_FRONT);
  void* other = dlopen(HSMTLS_TEST_OTHER_ABI, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(nullptr, other) << dlerror();
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(other, "C_GetFunctionList"));
  const auto get_interfaces =
      reinterpret_cast<CK_C_GetInterfaceList>(dlsym(other, "C_GetInterfaceList"));
  captured_stderr on_stderr;
  CK_FUNCTION_LIST* list = nullptr;
  CK_ULONG count = 0;
  EXPECT_RV(CKR_GENERAL_ERROR, get_list(&list));
  EXPECT_RV(CKR_GENERAL_ERROR, get_interfaces(nullptr, &count));
  const std::string said = on_stderr.stop();
  EXPECT_NE(
      std::string::npos,
      said.find("'" HSMTLS_TEST_FRONT "' came first (ABI 1), '" HSMTLS_TEST_OTHER_ABI "' (ABI 77)"))
      << said;
  EXPECT_EQ(said.find("two versions"), said.rfind("two versions")) << "said twice: " << said;
  const client app(front);
  EXPECT_FALSE(app.slots().empty()) << "the first one works";
}

class NamedAsItsOwnVendor : public Copies {
 protected:
  static void expect_refusal(const fs::path& named) {
    const ending ended =
        run_program({HSMTLS_TEST_CALL_MODULE, HSMTLS_TEST_FRONT}, {{"HSMTLS_MODULE", named}});
    EXPECT_TRUE(ended.fine()) << ended;
    EXPECT_NE(std::string::npos,
              ended.output.find("HSMTLS_MODULE: '" + named.string() + "' is hsmtls itself"))
        << ended;
    EXPECT_NE(std::string::npos, ended.output.find("C_Initialize: 0x5")) << ended;
  }
};

TEST_F(NamedAsItsOwnVendor, IsRefused) {
  expect_refusal(HSMTLS_TEST_FRONT);
}

TEST_F(NamedAsItsOwnVendor, IsRefusedAsACopy) {
  expect_refusal(copy());
}

TEST_F(NamedAsItsOwnVendor, IsRefusedAsALink) {
  fs::create_symlink(HSMTLS_TEST_FRONT, folder / "link.so");
  expect_refusal(folder / "link.so");
}

}  // namespace
}  // namespace hsmtls::test
