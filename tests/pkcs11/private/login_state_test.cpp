// Which PIN is known to be right: only such a one is sent by itself, and nobody is asked for one by
// a signature.
#include "tests/pkcs11/private/face.hpp"

namespace hsmtls::test {
namespace {

constexpr auto wrong = "wrong-zebra-pin";
constexpr auto rsa_key = "pkcs11:token=stub-a;object=rsa";

class PrivateLoginState : public private_over_stub {
 protected:
  PrivateLoginState() { secrets() = {wrong}; }

  // `key_sign` says that nobody is logged in, however often, and sends nothing.
  void expect_no_login_by_a_signature(const private_key& key) {
    const auto before = trouble.count("C_Login");
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_NOT_LOGGED_IN);
      EXPECT_EQ(before, trouble.count("C_Login")) << i;
    }
    completions all;
    EXPECT_EQ(key.sign_async(all, bytes(32, 1)), HSMTLS_P11_OK);
    ASSERT_TRUE(all.wait_for(1));
    EXPECT_EQ(HSMTLS_P11_NOT_LOGGED_IN, all.all()[0].code) << all.all()[0].message;
    EXPECT_EQ(before, trouble.count("C_Login"));
  }
};

// A token that somebody in this process logged in to at the module that we use, past us.
class PrivateLoginBesideAnother : public PrivateLoginState {
 protected:
  PrivateLoginBesideAnother()
      : app(front), other(HSMTLS_TEST_CHAOS), others_session(other.session(0)) {
    CK_UTF8CHAR pin[] = "1234";
    EXPECT_RV(CKR_OK, other->C_Login(others_session, CKU_USER, pin, 4));
  }

  // Nobody is logged in any more: not the other, not we.
  void lose_the_login() {
    EXPECT_RV(CKR_OK, other->C_Logout(others_session));
    trouble.run("drop-sessions");
  }
  // The vendor said that somebody is logged in already, and not whether the PIN is right.
  void expect_one_unverified() {
    EXPECT_EQ(1U, trouble.count("C_Login CKR_USER_ALREADY_LOGGED_IN"));
    EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
  }

  const client app;  // keeps the module initialised
  vendors_back other;
  const CK_SESSION_HANDLE others_session;
};

TEST_F(PrivateLoginBesideAnother, APinThatNobodyVerifiedIsNotSentByASignature) {
  private_key key;
  ASSERT_EQ(face.open(device, key, with_pin(wrong)), HSMTLS_P11_OK);
  expect_right_signature(key);
  expect_one_unverified();
  lose_the_login();
  expect_no_login_by_a_signature(key);
  expect_one_unverified();
}

TEST_F(PrivateLoginBesideAnother, APinOfASourceThatNobodyVerifiedIsNotSentByASignature) {
  const scratch_file file(wrong);
  login_options how;
  how.source = file.source();
  private_key key;
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  expect_right_signature(key);
  expect_one_unverified();
  lose_the_login();
  expect_no_login_by_a_signature(key);
  expect_one_unverified();
}

TEST_F(PrivateLoginBesideAnother, APinOfACallbackThatNobodyVerifiedIsNotSentByASignature) {
  int asked = 0;
  private_key key;
  {
    login_options how;
    how.callback = [&](const std::string&) { return ++asked, std::optional<std::string>(wrong); };
    ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  }
  expect_right_signature(key);
  expect_one_unverified();
  lose_the_login();
  expect_no_login_by_a_signature(key);
  EXPECT_EQ(1, asked);
}

TEST_F(PrivateLoginBesideAnother, AKeyOpenedAnewWithTheRightPinLetsTheOthersSign) {
  private_key key;
  ASSERT_EQ(face.open(device, key, with_pin(wrong)), HSMTLS_P11_OK);
  expect_right_signature(key);
  lose_the_login();
  EXPECT_EQ(key.sign(bytes(32, 1)), HSMTLS_P11_NOT_LOGGED_IN);
  private_key anew = open_device();
  expect_right_signature(anew);
  expect_right_signature(key);
  trouble.run("drop-sessions");
  expect_right_signature(anew);
  expect_right_signature(key);
  expect_one_unverified();
}

TEST_F(PrivateLoginState, APinPadIsNotAskedForByASignatureAlthoughAPinWasGiven) {
  trouble.run("pin-pad pin=1234");
  private_key key;
  ASSERT_EQ(face.open(device, key, with_pin(wrong)), HSMTLS_P11_OK);
  expect_right_signature(key);
  EXPECT_EQ(1U, trouble.count("C_Login"));
  trouble.run("drop-sessions");
  expect_no_login_by_a_signature(key);
}

TEST_F(PrivateLoginState, AnotherPinThanTheOneThatTheTokenTookIsRefusedWithoutACall) {
  private_key key = open_device();
  expect_right_signature(key);
  ASSERT_EQ(1U, trouble.count("C_Login"));
  const scratch_file file(wrong);
  login_options from_file;
  from_file.source = file.source();
  login_options asked;
  asked.callback = [](const std::string&) { return std::optional<std::string>(wrong); };
  for (const login_options& how : {with_pin(wrong), from_file, asked}) {
    for (const char* uri : {rsa_key, device})
      EXPECT_EQ(face.try_open(uri, how), HSMTLS_P11_PIN_INCORRECT) << uri;
  }
  EXPECT_EQ(1U, trouble.count("C_Login"));
  EXPECT_EQ(face.try_open(rsa_key, with_pin("1234")), HSMTLS_P11_OK);
  expect_right_signature(key);
  EXPECT_EQ(1U, trouble.count("C_Login"));
}

TEST_F(PrivateLoginState, ASecondKeyWithTheRightPinIsLoggedInForByItself) {
  private_key second;
  {
    private_key first = open_device();
    ASSERT_EQ(face.open(device, second, with_pin("1234")), HSMTLS_P11_OK);
  }
  trouble.run("drop-sessions");
  expect_right_signature(second);
}

}  // namespace
}  // namespace hsmtls::test
