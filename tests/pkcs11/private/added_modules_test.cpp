// Modules that the layer above adds while the process runs: beside those that HSMTLS_MODULE names,
// or alone.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/private/face.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
namespace fs = std::filesystem;

// A folder that goes with the object.
class scratch_folder {
 public:
  scratch_folder() {
    std::string name = HSMTLS_TEST_SCRATCH "/added-XXXXXX";
    EXPECT_NE(nullptr, mkdtemp(name.data()));
    path_ = name;
  }
  ~scratch_folder() { fs::remove_all(path_); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  // Another instance of a library, for the loader.
  [[nodiscard]] std::string copy_of(const std::string& file, const std::string& as) const {
    fs::copy_file(file, path_ / as);
    return path_ / as;
  }
  [[nodiscard]] std::string link_to(const std::string& file, const std::string& as) const {
    fs::create_symlink(file, path_ / as);
    return path_ / as;
  }

 private:
  fs::path path_;
};

// No module is configured; the chaos module over the stub vendor is what is added.
class PrivateAddedAlone : public testing::Test {
 protected:
  PrivateAddedAlone()
      : vendor(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR)),
        front(load_front("", std::chrono::seconds(10))),
        face(front) {}

  private_key open_device() {
    EXPECT_EQ(face.add_module(vendor), HSMTLS_P11_OK);
    private_key key;
    EXPECT_EQ(face.open(device, key, with_pin("1234")), HSMTLS_P11_OK);
    return key;
  }
  static void expect_right_signature(const private_key& key) {
    const bytes data(32, 0x5a);
    const bytes point = key.point();
    bytes signature;
    ASSERT_EQ(key.sign(data, &signature), HSMTLS_P11_OK);
    EXPECT_EQ(stub::signature(
                  stub::key_mark(point.data(), point.size()), CKM_ECDSA, data.data(), data.size()),
              signature);
  }

  log_file log;
  const scratch_folder folder;
  const std::string vendor;
  module_under_test front;
  private_face face;
  chaos trouble;
};

TEST_F(PrivateAddedAlone, TellsThatNoModuleIsConfiguredAndWhatToDo) {
  EXPECT_EQ(0U, face->modules_configured());
  captured_stderr said;
  const answer got = face.try_open(device, with_pin("1234"));
  EXPECT_EQ(got, HSMTLS_P11_MODULE);
  EXPECT_THAT(got.message,
              AllOf(HasSubstr("HSMTLS_MODULE is not set"), HasSubstr("pass that file")));
  EXPECT_EQ("", said.stop()) << "the caller has the sentence";
}

TEST_F(PrivateAddedAlone, OpensAKeyWithoutAWordAboutTheEnvironment) {
  captured_stderr said;
  private_key key = open_device();
  expect_right_signature(key);
  EXPECT_EQ("", said.stop());
  EXPECT_THAT(face.modules_of_tokens(), Each(vendor));
}

TEST_F(PrivateAddedAlone, CanBeAddedAfterAnOpenThatFailed) {
  captured_stderr said;
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_MODULE);
  said.stop();
  expect_right_signature(open_device());
}

TEST_F(PrivateAddedAlone, CostsNoPkcs11CallUntilItIsUsed) {
  EXPECT_EQ(face.add_module(vendor), HSMTLS_P11_OK);
  EXPECT_EQ(0U, trouble.total());
}

TEST_F(PrivateAddedAlone, IsNotThereForApplications) {
  private_key key = open_device();
  captured_stderr said;
  EXPECT_RV(CKR_GENERAL_ERROR, front->C_Initialize(nullptr));
  EXPECT_THAT(said.stop(), HasSubstr("HSMTLS_MODULE is not set"));
  expect_right_signature(key);
}

TEST_F(PrivateAddedAlone, IsFinalisedWithItsLastKey) {
  {
    private_key key = open_device();
    private_key other = open_device();
    EXPECT_EQ(1U, trouble.count("C_Initialize"));
  }
  EXPECT_EQ(1U, trouble.count("C_Finalize"));
  expect_right_signature(open_device());
}

TEST_F(PrivateAddedAlone, SignsAgainAfterEveryKindOfReset) {
  private_key key = open_device();
  for (const auto* reset :
       {"drop-sessions", "fail C_Sign 1 CKR_DEVICE_REMOVED", "fail C_Sign 3 CKR_DEVICE_ERROR"}) {
    trouble.run(reset);
    expect_right_signature(key);
  }
  EXPECT_LT(0U, key.counters().restored);
}

TEST_F(PrivateAddedAlone, GoesOnInAForkedChildAndItsChildAndInTheParent) {
  private_key key = open_device();
  expect_right_signature(key);
  child forked([&] {
    return expectations([&] {
      expect_right_signature(key);
      EXPECT_THAT(face.modules_of_tokens(), Each(vendor)) << "nobody added it again here";
      trouble.run("drop-sessions");
      expect_right_signature(key);
      child grandchild([&] {
        return expectations([&] {
          expect_right_signature(key);
          key.release();
        });
      });
      EXPECT_TRUE(grandchild.wait().fine());
      key.release();
    });
  });
  expect_right_signature(key);
  const ending end = forked.wait();
  EXPECT_TRUE(end.fine()) << end;
  expect_right_signature(key);
  EXPECT_EQ(0U, key.counters().lost);
}

TEST_F(PrivateAddedAlone, IsThereInAForkedChildWhateverBecameOfItsFile) {
  const std::string link = folder.link_to(vendor, "vendor.so");
  private_key key;
  login_options how = with_pin("1234");
  how.module = link;
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  fs::remove(link);
  child forked([&] {
    return expectations([&] {
      expect_right_signature(key);
      EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_OK) << "by the name that is known";
      key.release();
    });
  });
  const ending end = forked.wait();
  EXPECT_TRUE(end.fine()) << end;
}

TEST_F(PrivateAddedAlone, ByAnotherNameIsTheSameModule) {
  EXPECT_EQ(face.add_module(vendor), HSMTLS_P11_OK);
  EXPECT_EQ(face.add_module(vendor), HSMTLS_P11_OK);
  EXPECT_EQ(face.add_module(folder.link_to(vendor, "link.so")), HSMTLS_P11_OK);
  private_key key = open_device();
  EXPECT_EQ(2U, face.modules_of_tokens().size()) << "two tokens, once each";
  EXPECT_EQ(1U, trouble.count("C_Initialize"));
}

TEST_F(PrivateAddedAlone, IsOneInstanceForEightThreadsThatOpenAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  const std::string link = folder.link_to(vendor, "link.so");
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        login_options how = with_pin("1234");
        how.module = i % 2 == 0 ? vendor : link;
        private_key key;
        const answer opened = face.open(device, key, how);
        EXPECT_EQ(opened, HSMTLS_P11_OK);
        if (key) good += key.sign(bytes(32, 1)) == HSMTLS_P11_OK ? 1 : 0;
      }
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(160, good);
  EXPECT_EQ(2U, face.modules_of_tokens().size());
  EXPECT_EQ(0U, trouble.count("C_Initialize CKR_CRYPTOKI_ALREADY_INITIALIZED"));
}

TEST_F(PrivateAddedAlone, ThatIsNoneIsRefusedByNameAndLeavesNothingBehind) {
  std::ofstream(folder.path() / "text.so") << "no library\n";
  const struct {
    std::string file;
    const char* words;
  } wrong[] = {{folder.path() / "missing.so", "No such file"},
               {folder.path() / "text.so", "is not a PKCS#11 module"},
               {"libm.so.6", "has no C_GetFunctionList"},
               {HSMTLS_TEST_FRONT, "is hsmtls itself"},
               {folder.copy_of(HSMTLS_TEST_FRONT, "copy.so"), "is hsmtls itself"}};
  for (const auto& [file, words] : wrong) {
    const answer got = face.add_module(file);
    EXPECT_EQ(got, HSMTLS_P11_MODULE);
    EXPECT_THAT(
        got.message,
        AllOf(HasSubstr("'" + file + "'"), HasSubstr(words), HasSubstr("name the file of your")));
    login_options how = with_pin("1234");
    how.module = file;
    EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_MODULE);
  }
  EXPECT_EQ(face.add_module(""), HSMTLS_P11_BAD_ARGUMENT);
  hsmtls_p11_error error{};
  EXPECT_EQ(HSMTLS_P11_BAD_ARGUMENT, face->module_add(nullptr, &error));
  captured_stderr said;
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_MODULE) << "none was kept";
  said.stop();
  expect_right_signature(open_device());
}

TEST_F(PrivateAddedAlone, ThatCannotBeInitialisedIsNamed) {
  trouble.run("fail C_Initialize 1 CKR_DEVICE_ERROR");
  login_options how = with_pin("1234");
  how.module = vendor;
  captured_stderr said;
  const answer got = face.try_open(device, how);
  EXPECT_EQ(got, HSMTLS_P11_MODULE);
  EXPECT_EQ(CK_RV{CKR_DEVICE_ERROR}, got.ckr);
  EXPECT_THAT(got.message, HasSubstr("C_Initialize of '" + vendor + "' returned CKR_DEVICE_ERROR"));
  EXPECT_EQ("", said.stop()) << "the caller has the sentence";
  EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_OK);
}

// The chaos module over the stub vendor is configured; another instance of the stub vendor, whose
// tokens are called the same, is added.
class PrivateAddedBeside : public private_over_stub {
 protected:
  PrivateAddedBeside() : other(folder.copy_of(HSMTLS_TEST_STUB_VENDOR, "other.so")) {}
  static login_options only_in(const std::string& module) {
    login_options how = with_pin("1234");
    how.module = module;
    return how;
  }

  const scratch_folder folder;
  const std::string other;
};

TEST_F(PrivateAddedBeside, IsUsedBesideWhatIsConfiguredAndRuns) {
  private_key before = open_device();
  ASSERT_EQ(face.add_module(other), HSMTLS_P11_OK);
  EXPECT_EQ(1U, face->modules_configured());
  EXPECT_THAT(face.modules_of_tokens(),
              AllOf(Contains(std::string(HSMTLS_TEST_CHAOS)), Contains(other)));
  expect_right_signature(before);
  before.release();
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_AMBIGUOUS) << "both have it";
  EXPECT_EQ(1U, trouble.count("C_Login")) << "no PIN for one of two";
}

TEST_F(PrivateAddedBeside, IsTheOnlyPlaceToLookForWhoSaysSo) {
  private_key added;
  ASSERT_EQ(face.open(device, added, only_in(other)), HSMTLS_P11_OK);
  EXPECT_EQ(0U, trouble.total()) << "nobody asked the other one";
  expect_right_signature(added);
  private_key configured;
  ASSERT_EQ(face.open(device, configured, only_in(HSMTLS_TEST_CHAOS)), HSMTLS_P11_OK);
  const auto before = trouble.count("C_Sign");
  expect_right_signature(configured);
  EXPECT_EQ(before + 1, trouble.count("C_Sign"));
  std::vector<listed> all;
  EXPECT_EQ(face.list("pkcs11:token=stub-a", all, only_in(other)), HSMTLS_P11_OK);
  EXPECT_FALSE(all.empty());
}

TEST_F(PrivateAddedBeside, IsWhereAKeyIsMadeForWhoSaysSo) {
  const std::string uri = "pkcs11:token=stub-a;object=new";
  private_key made;
  ASSERT_EQ(face.generate(uri, HSMTLS_P11_GENERATE_P256, 0, made, only_in(other)), HSMTLS_P11_OK);
  EXPECT_EQ(face.try_open(uri, only_in(other)), HSMTLS_P11_OK);
  EXPECT_EQ(face.try_open(uri, only_in(HSMTLS_TEST_CHAOS)), HSMTLS_P11_OBJECT_NOT_FOUND);
}

TEST_F(PrivateAddedBeside, DoesNotChangeWhatApplicationsSee) {
  // First, so that it could take the numbers of the others.
  private_key added;
  ASSERT_EQ(face.open(device, added, only_in(other)), HSMTLS_P11_OK);
  const client app(front);
  EXPECT_THAT(app.slots(), testing::ElementsAre(0, 1)) << "the vendor's own numbers";
  EXPECT_EQ(4U, face.modules_of_tokens().size());
  const auto before = trouble.count("C_Login");
  const CK_SESSION_HANDLE session = app.open(0);
  EXPECT_RV(CKR_OK, app.login(session, "1234"));
  EXPECT_EQ(before + 1, trouble.count("C_Login")) << "0 is the configured one";
  CK_TOKEN_INFO info{};
  EXPECT_RV(CKR_SLOT_ID_INVALID, app.p11.C_GetTokenInfo(2, &info)) << "that is the other's";
}

TEST_F(PrivateAddedBeside, ThatIsConfiguredIsNotAdded) {
  ASSERT_EQ(face.add_module(folder.link_to(HSMTLS_TEST_CHAOS, "link.so")), HSMTLS_P11_OK);
  EXPECT_EQ(2U, face.modules_of_tokens().size());
  const client app(front);
  EXPECT_EQ(2U, app.slots().size());
}

TEST_F(PrivateAddedBeside, OutlivesTheApplicationsFinalise) {
  private_key added;
  ASSERT_EQ(face.open(device, added, only_in(other)), HSMTLS_P11_OK);
  { const client app(front); }
  expect_right_signature(added);
}

}  // namespace
}  // namespace hsmtls::test
