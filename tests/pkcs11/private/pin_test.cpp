// Where a PIN comes from, and that nobody gets locked out by one that is wrong.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/pkcs11/private/face.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;

// Long words that no clock writes: the log is searched for them.
constexpr auto wrong = "wrong-zebra-pin";
constexpr auto wrong_too = "wrong-giraffe-pin";

// Sets a variable before the module reads its configuration.
struct variable {
  variable(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }
};

// What systemd gives a service, before the module is loaded.
class credentials_folder {
 protected:
  credentials_folder() {
    setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
    setenv("HSMTLS_PIN_SOURCE", "env:HSMTLS_TEST_SERVICE_PIN", 1);
    setenv("HSMTLS_TEST_SERVICE_PIN", "1234", 1);
  }
  ~credentials_folder() { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }

 private:
  static std::string made() {
    std::string name = std::string(HSMTLS_TEST_SCRATCH) + "/credentials.XXXXXX";
    EXPECT_NE(nullptr, mkdtemp(name.data()));
    return name;
  }
  const std::string folder_ = made();
};

class PrivatePin : public private_over_stub {
 protected:
  PrivatePin() { secrets() = {wrong, wrong_too}; }
  answer open_from(const std::string& source) {
    login_options how;
    how.source = source;
    return face.try_open(device, how);
  }
};

TEST_F(PrivatePin, IsAskedForWhenTheKeyIsHidden) {
  const answer got = face.try_open(device);
  EXPECT_EQ(got, HSMTLS_P11_PIN_REQUIRED);
  EXPECT_THAT(got.message, HasSubstr("stub-a"));
  EXPECT_THAT(got.message, HasSubstr("pin-source"));
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivatePin, ComesFromTheUriFirst) {
  EXPECT_EQ(face.try_open(std::string(device) + "?pin-value=1234", with_pin(wrong)), HSMTLS_P11_OK);
  const scratch_file right("1234");
  EXPECT_EQ(face.try_open(std::string(device) + "?pin-source=" + right.source(), with_pin(wrong)),
            HSMTLS_P11_OK);
  EXPECT_EQ(face.try_open(std::string(device) + "?pin-source=" + right.path(), with_pin(wrong)),
            HSMTLS_P11_OK);
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(PrivatePin, GivenByValueGoesBeforeTheCallbackAndThatBeforeTheSource) {
  const scratch_file bad(wrong);
  login_options how = with_pin("1234");
  how.callback = [](const std::string&) { return wrong_too; };
  how.source = bad.source();
  EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_OK);
  how.pin.reset();
  std::string asked_for;
  how.callback = [&](const std::string& label) {
    return asked_for = label, std::optional<std::string>("1234");
  };
  EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_OK);
  EXPECT_EQ("stub-a", asked_for);
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(PrivatePin, OfACallbackThatHasNoneIsMissing) {
  login_options how;
  how.callback = [](const std::string&) { return std::nullopt; };
  EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_PIN_REQUIRED);
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivatePin, IsReadFromAVariable) {
  setenv("HSMTLS_TEST_PIN", "1234", 1);
  EXPECT_EQ(open_from("env:HSMTLS_TEST_PIN"), HSMTLS_P11_OK);
  const answer got = open_from("env:HSMTLS_TEST_NOT_SET");
  EXPECT_EQ(got, HSMTLS_P11_PIN_SOURCE);
  EXPECT_THAT(got.message, HasSubstr("HSMTLS_TEST_NOT_SET"));
}

// A service of systemd, whose workers have lost their environment since the module was loaded.
class PrivatePinOfAService : credentials_folder, public PrivatePin {
 protected:
  PrivatePinOfAService() {
    unsetenv("CREDENTIALS_DIRECTORY");
    unsetenv("HSMTLS_TEST_SERVICE_PIN");
  }
  using credentials_folder::write;
};

TEST_F(PrivatePinOfAService, IsReadFromItsCredentialAtEachLogin) {
  write("pin", wrong);
  EXPECT_EQ(open_from("credential:pin"), HSMTLS_P11_PIN_INCORRECT);
  write("pin", "1234\n");
  EXPECT_EQ(open_from("credential:pin"), HSMTLS_P11_OK);
  EXPECT_EQ(open_from("credential:../passwd"), HSMTLS_P11_PIN_SOURCE)
      << "a credential has a name, not a path";
}

TEST_F(PrivatePinOfAService, IsTheOneThatItsVariableHeldAtLoad) {
  private_key key;
  ASSERT_EQ(face.open(device, key), HSMTLS_P11_OK) << "HSMTLS_PIN_SOURCE=env:…";
  trouble.run("drop-sessions");
  expect_right_signature(key);
}

TEST_F(PrivatePin, OfACredentialOutsideOfAServiceSaysWhatTheUnitNeeds) {
  const answer got = open_from("credential:pin");
  EXPECT_EQ(got, HSMTLS_P11_PIN_SOURCE);
  EXPECT_THAT(got.message, HasSubstr("LoadCredential"));
}

TEST_F(PrivatePin, LosesOneTrailingNewlineOfItsFile) {
  EXPECT_EQ(open_from(scratch_file("1234").source()), HSMTLS_P11_OK);
  EXPECT_EQ(open_from(scratch_file("1234\n").source()), HSMTLS_P11_OK);
  EXPECT_EQ(open_from(scratch_file("1234\n\n").source()), HSMTLS_P11_PIN_INCORRECT)
      << "two are not cut";
}

TEST_F(PrivatePin, OfAFileThatCannotBeReadIsNamedWithTheReason) {
  const answer missing = open_from("file:/nonexistent/pin");
  EXPECT_EQ(missing, HSMTLS_P11_PIN_SOURCE);
  EXPECT_THAT(missing.message, HasSubstr("/nonexistent/pin"));
  EXPECT_THAT(missing.message, HasSubstr("No such file"));
  for (const char* content : {"", "\n"}) {
    const scratch_file empty(content);
    const answer got = open_from(empty.source());
    EXPECT_EQ(got, HSMTLS_P11_PIN_SOURCE);
    EXPECT_THAT(got.message, HasSubstr("empty"));
  }
  const scratch_file longest(std::string(2000, 'x'));
  EXPECT_THAT(open_from(longest.source()).message, HasSubstr("too long"));
  EXPECT_EQ(open_from("file:/tmp"), HSMTLS_P11_PIN_SOURCE) << "a folder";
  EXPECT_EQ(open_from("nonsense"), HSMTLS_P11_PIN_SOURCE);
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivatePin, IsNotWaitedForInAFifo) {
  const scratch_file place;
  std::filesystem::remove(place.path());
  ASSERT_EQ(0, mkfifo(place.path().c_str(), 0600));
  const answer got = open_from(place.source());
  EXPECT_EQ(got, HSMTLS_P11_PIN_SOURCE);
  EXPECT_THAT(got.message, HasSubstr("not a regular file"));
}

TEST_F(PrivatePin, ThatIsWrongIsSentOnce) {
  for (int i = 0; i < 5; ++i) {
    const answer got = face.try_open(device, with_pin(wrong));
    EXPECT_EQ(got, HSMTLS_P11_PIN_INCORRECT);
    EXPECT_THAT(got.message, HasSubstr("stub-a"));
    EXPECT_EQ(1U, trouble.count("C_Login")) << "attempt " << i;
  }
  const scratch_file bad(wrong);
  EXPECT_EQ(open_from(bad.source()), HSMTLS_P11_PIN_INCORRECT);
  EXPECT_EQ(1U, trouble.count("C_Login"));
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_OK) << "the right one still works";
}

TEST_F(PrivatePin, ThatIsWrongIsSentOnceByManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back(
        [&] { EXPECT_EQ(face.try_open(device, with_pin(wrong)), HSMTLS_P11_PIN_INCORRECT); });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(1U, trouble.count("C_Login"));
}

TEST_F(PrivatePin, ThatIsEmptyIsNotSent) {
  EXPECT_EQ(face.try_open(device, with_pin("")), HSMTLS_P11_PIN_REQUIRED);
  login_options how;
  how.callback = [](const std::string&) { return ""; };
  EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_PIN_REQUIRED);
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivatePin, IsNotSentToATokenThatIsLocked) {
  trouble.run("lock-pin");
  const answer got = face.try_open(device, with_pin("1234"));
  EXPECT_EQ(got, HSMTLS_P11_PIN_LOCKED);
  EXPECT_THAT(got.message, HasSubstr("SO PIN"));
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivatePin, IsSentForTheFinalTryOnlyWhenTheCallerInsists) {
  trouble.run("pin-flags final-try");
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_PIN_LOCKED);
  EXPECT_EQ(0U, trouble.count("C_Login"));
  login_options how = with_pin("1234");
  how.insist = true;
  EXPECT_EQ(face.try_open(device, how), HSMTLS_P11_OK);
}

TEST_F(PrivatePin, IsSentToATokenWhoseCountIsLow) {
  trouble.run("pin-flags count-low");
  EXPECT_EQ(face.try_open(device, with_pin("1234")), HSMTLS_P11_OK);
}

TEST_F(PrivatePin, IsNotNeededAtAPinPad) {
  trouble.run("pin-pad pin=1234");
  private_key key;
  ASSERT_EQ(face.open(device, key), HSMTLS_P11_OK);
  expect_right_signature(key);
}

TEST_F(PrivatePin, OfAPinPadIsNotAskedForAgainAfterAReset) {
  trouble.run("pin-pad pin=1234");
  private_key key;
  ASSERT_EQ(face.open(device, key), HSMTLS_P11_OK);
  trouble.run("drop-sessions");
  const auto before = trouble.count("C_Login");
  const answer got = key.sign(bytes(32, 1));
  EXPECT_EQ(got, HSMTLS_P11_NOT_LOGGED_IN);
  EXPECT_EQ(before, trouble.count("C_Login"));
}

TEST_F(PrivatePin, IsNotKeptWhenTheCallerSaysSo) {
  login_options how = with_pin("1234");
  how.forget = true;
  private_key key;
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  expect_right_signature(key);
  trouble.run("drop-sessions");
  const answer got = key.sign(bytes(32, 1));
  EXPECT_EQ(got, HSMTLS_P11_NOT_LOGGED_IN);
  EXPECT_THAT(got.message, HasSubstr("open the key anew"));
}

TEST_F(PrivatePin, OfTheCallbackIsAskedForInsideOpenOnly) {
  int asked = 0;
  private_key key;
  {
    login_options how;
    how.callback = [&](const std::string&) { return ++asked, std::optional<std::string>("1234"); };
    ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  }
  trouble.run("drop-sessions");
  expect_right_signature(key);
  EXPECT_EQ(1, asked);
}

TEST_F(PrivatePin, IsReadAgainAfterItWasChangedInItsFile) {
  const scratch_file file("1234\n");
  login_options how;
  how.source = file.source();
  private_key key;
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  expect_right_signature(key);
  vendors_back().change_pin(0, "1234", "5678");
  file.write("5678\n");
  trouble.run("drop-sessions");
  expect_right_signature(key);
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(PrivatePin, ThatIsWrongInItsFileIsSentOnceAndHealsWhenTheFileIsRight) {
  const scratch_file file("1234");
  login_options how;
  how.source = file.source();
  private_key key;
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  file.write(wrong);
  trouble.run("drop-sessions");
  for (int i = 0; i < 4; ++i) {
    const answer got = key.sign(bytes(32, 1));
    EXPECT_TRUE(got == HSMTLS_P11_PIN_INCORRECT || got == HSMTLS_P11_NOT_LOGGED_IN) << got;
    EXPECT_EQ(1U, trouble.count("C_Login CKR_PIN_INCORRECT"));
  }
  file.write("1234");
  expect_right_signature(key);
  EXPECT_EQ(1U, trouble.count("C_Login CKR_PIN_INCORRECT"));
  trouble.run("drop-sessions");
  expect_right_signature(key);
}

TEST_F(PrivatePin, ThatWasChangedOnTheTokenIsRefusedOnceAndHealsWithTheFile) {
  const scratch_file file("1234");
  login_options how;
  how.source = file.source();
  private_key key;
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  vendors_back().change_pin(0, "1234", "56789");
  trouble.run("drop-sessions");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(key.sign(bytes(32, 1)) == HSMTLS_P11_OK);
  EXPECT_EQ(1U, trouble.count("C_Login CKR_PIN_INCORRECT"));
  file.write("56789");
  expect_right_signature(key);
}

// Configuration is read once, at load.
class PrivatePinConfigured : public testing::Test, private variable {
 protected:
  PrivatePinConfigured() : variable("HSMTLS_PIN_SOURCE", "env:HSMTLS_TEST_CONFIGURED_PIN") {
    setenv("HSMTLS_TEST_CONFIGURED_PIN", "1234", 1);
    unsetenv("CREDENTIALS_DIRECTORY");
    front.emplace(
        load_front(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR), std::chrono::seconds(10)));
    face.emplace(*front);
  }
  log_file log;
  std::optional<module_under_test> front;
  std::optional<private_face> face;
};

TEST_F(PrivatePinConfigured, ComesFromTheConfigurationLast) {
  EXPECT_EQ(face->try_open(device), HSMTLS_P11_OK);
  EXPECT_EQ(face->try_open(device, with_pin(wrong)), HSMTLS_P11_PIN_INCORRECT);
}

}  // namespace
}  // namespace hsmtls::test
