// From a URI to one key: which fits, which does not, what it costs and what is then known of the
// key.
#include <gmock/gmock.h>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/private/face.hpp"

namespace hsmtls::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class PrivateOpen : public private_over_stub {
 protected:
  const login_options pin = with_pin("1234");

  // Makes key pairs in the first token, behind everybody's back.
  static void make_keys(int count) {
    const vendors_back vendor;
    const CK_SESSION_HANDLE in = vendor.session(0);
    std::string right = "1234";
    vendor->C_Login(in, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(right.data()), right.size());
    for (int i = 0; i < count; ++i)
      make_key(vendor,
               in,
               "many-" + std::to_string(i),
               {0x77, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)});
    vendor->C_Logout(in);
    vendor->C_CloseSession(in);
  }
  static void make_key(const vendors_back& vendor,
                       CK_SESSION_HANDLE in,
                       std::string label,
                       bytes id) {
    CK_BBOOL yes = CK_TRUE;
    bytes p256{0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    CK_ATTRIBUTE open_half[] = {{CKA_TOKEN, &yes, sizeof yes},
                                {CKA_LABEL, label.data(), label.size()},
                                {CKA_ID, id.data(), id.size()},
                                {CKA_EC_PARAMS, p256.data(), p256.size()}};
    CK_ATTRIBUTE hidden_half[] = {{CKA_TOKEN, &yes, sizeof yes},
                                  {CKA_LABEL, label.data(), label.size()},
                                  {CKA_ID, id.data(), id.size()},
                                  {CKA_SIGN, &yes, sizeof yes}};
    CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE made[2];
    ASSERT_RV(CKR_OK,
              vendor->C_GenerateKeyPair(
                  in, &mechanism, open_half, 4, hidden_half, 4, &made[0], &made[1]));
  }
};

TEST_F(PrivateOpen, FindsTheKeyThatTheUriNames) {
  private_key key;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=device;id=%01;type=private", key, pin),
            HSMTLS_P11_OK);
  expect_right_signature(key);
}

TEST_F(PrivateOpen, FindsItByItsIdAlone) {
  EXPECT_EQ(face.try_open("pkcs11:token=stub-a;id=%01", pin), HSMTLS_P11_OK);
}

TEST_F(PrivateOpen, FindsItBySerialModelAndSlot) {
  EXPECT_EQ(face.try_open("pkcs11:serial=0001;object=device", pin), HSMTLS_P11_OK);
  EXPECT_EQ(face.try_open("pkcs11:slot-id=0;object=device", pin), HSMTLS_P11_OK);
}

TEST_F(PrivateOpen, ListsTheKeysWhenTheTokenHasSeveral) {
  const answer got = face.try_open("pkcs11:token=stub-a", pin);
  EXPECT_EQ(got, HSMTLS_P11_AMBIGUOUS);
  EXPECT_THAT(got.message, HasSubstr("fits 3 keys"));
  for (const char* one : {"device", "rsa", "edwards"}) EXPECT_THAT(got.message, HasSubstr(one));
}

TEST_F(PrivateOpen, ListsTheTokensWhenSeveralFitAndSendsNoPin) {
  const answer got = face.try_open("pkcs11:object=device", pin);
  EXPECT_EQ(got, HSMTLS_P11_AMBIGUOUS);
  EXPECT_THAT(got.message, HasSubstr("stub-a"));
  EXPECT_THAT(got.message, HasSubstr("stub-b"));
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivateOpen, NamesTheTokenThatMayBeMeant) {
  const answer got = face.try_open("pkcs11:token=stub-aa;object=device", pin);
  EXPECT_EQ(got, HSMTLS_P11_TOKEN_NOT_FOUND);
  EXPECT_THAT(got.message, HasSubstr("stub-aa"));
  EXPECT_THAT(got.message, HasSubstr("'stub-a'"));
  EXPECT_EQ(0U, trouble.count("C_Login"));
}

TEST_F(PrivateOpen, NamesTheKeysOfTheTokenWhenNoneFits) {
  const answer got = face.try_open("pkcs11:token=stub-a;object=devise", pin);
  EXPECT_EQ(got, HSMTLS_P11_OBJECT_NOT_FOUND);
  EXPECT_THAT(got.message, HasSubstr("devise"));
  EXPECT_THAT(got.message, HasSubstr("'device'"));
}

TEST_F(PrivateOpen, TakesNoPrefixForAMatch) {
  EXPECT_EQ(face.try_open("pkcs11:token=stub;object=device", pin), HSMTLS_P11_TOKEN_NOT_FOUND);
  EXPECT_EQ(face.try_open("pkcs11:token=stub-a;object=dev", pin), HSMTLS_P11_OBJECT_NOT_FOUND);
  EXPECT_EQ(face.try_open("pkcs11:token=stub-a;object=device2", pin), HSMTLS_P11_OBJECT_NOT_FOUND);
  EXPECT_EQ(face.try_open("pkcs11:token=stub-a;id=%01%00", pin), HSMTLS_P11_OBJECT_NOT_FOUND);
}

TEST_F(PrivateOpen, RefusesAUriOfSomethingElseThanAPrivateKey) {
  const answer got = face.try_open("pkcs11:token=stub-a;object=device;type=cert", pin);
  EXPECT_EQ(got, HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_THAT(got.message, HasSubstr("type=private"));
}

TEST_F(PrivateOpen, SaysWhatIsWrongWithAMalformedUri) {
  for (const char* uri : {"", "pkcs12:token=a", "pkcs11:token=%zz", "pkcs11:token=a;token=b"}) {
    EXPECT_EQ(face.try_open(uri, pin), HSMTLS_P11_MALFORMED_URI) << uri;
  }
  EXPECT_EQ(0U, trouble.total()) << "nobody asked the token";
}

TEST_F(PrivateOpen, FindsTheOneKeyOfATokenByTheTokenAlone) {
  private_key holder = open_device();  // keeps the module initialised
  for (const char* other : {"pkcs11:token=stub-b;object=rsa;type=private",
                            "pkcs11:token=stub-b;object=edwards;type=private"}) {
    EXPECT_EQ(face.remove(other, pin), HSMTLS_P11_OK);
  }
  private_key key;
  ASSERT_EQ(face.open("pkcs11:token=stub-b", key, pin), HSMTLS_P11_OK);
  EXPECT_STREQ("device", key.info().label);
}

TEST_F(PrivateOpen, CostsTheSameNumberOfCallsInATokenWith3And1000Keys) {
  private_key holder;  // what loading and initialising cost is not counted
  ASSERT_EQ(face.open("pkcs11:token=stub-b;object=device", holder, pin), HSMTLS_P11_OK);
  const auto calls = [&] {
    const auto before = trouble.total();
    private_key key;
    EXPECT_EQ(face.open(device, key, pin), HSMTLS_P11_OK);
    return trouble.total() - before;
  };
  calls();  // the token is seen for the first time
  const auto few = calls();
  make_keys(997);
  const auto many = calls();
  EXPECT_EQ(few, many);
  std::printf("| PKCS#11 calls to open a key: %d of 3 keys, %d of 1000 keys\n",
              static_cast<int>(few),
              static_cast<int>(many));
}

TEST_F(PrivateOpen, KnowsThePublicHalf) {
  private_key key = open_device();
  EXPECT_EQ(uint32_t{HSMTLS_P11_EC}, key.info().type);
  EXPECT_EQ((bytes{0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}),
            bytes(key.info().ec_params, key.info().ec_params + key.info().ec_params_len));
  ASSERT_EQ(67U, key.point().size());
  EXPECT_EQ(0x04, key.point()[0]) << "a DER OCTET STRING";
  EXPECT_EQ(0U, key.info().modulus_len);

  private_key rsa;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=rsa", rsa, pin), HSMTLS_P11_OK);
  EXPECT_EQ(uint32_t{HSMTLS_P11_RSA}, rsa.info().type);
  EXPECT_EQ(256U, rsa.info().modulus_len);
  EXPECT_EQ((bytes{1, 0, 1}),
            bytes(rsa.info().exponent, rsa.info().exponent + rsa.info().exponent_len));

  private_key edwards;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=edwards", edwards, pin), HSMTLS_P11_OK);
  EXPECT_EQ(uint32_t{HSMTLS_P11_ED25519}, edwards.info().type);
  EXPECT_LT(30U, edwards.info().ec_point_len);
}

TEST_F(PrivateOpen, TellsAUriThatOpensTheSameKey) {
  private_key key = open_device();
  const std::string uri = key.info().uri;
  EXPECT_THAT(uri, HasSubstr("serial=0001"));
  EXPECT_THAT(uri, HasSubstr("type=private"));
  EXPECT_THAT(uri, Not(HasSubstr("?")));
  private_key again;
  ASSERT_EQ(face.open(uri, again, pin), HSMTLS_P11_OK);
  EXPECT_EQ(key.point(), again.point());
  EXPECT_EQ(uri, again.info().uri);
}

TEST_F(PrivateOpen, KeepsNoPinInTheUriItTells) {
  private_key key;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=device?pin-value=1234", key), HSMTLS_P11_OK);
  EXPECT_THAT(std::string(key.info().uri), Not(HasSubstr("1234")));
  EXPECT_THAT(log.text(), Not(HasSubstr("pin-value=1234")));
}

TEST_F(PrivateOpen, WarnsOfAPinInTheUriAndDoesNotWriteIt) {
  const std::string wrong = "wrong-zebra-pin";
  const std::string right = "quiet-zebra-pin";
  const std::string encoded = "quiet%2Dzebra-pin";
  secrets().insert(secrets().end(), {right, encoded, "quiet", wrong});
  ASSERT_EQ(face.change_pin("pkcs11:token=stub-a", "1234", right), HSMTLS_P11_OK);
  EXPECT_EQ(0U, log.count("pin-in-uri"));
  const std::string with_value = std::string(device) + "?pin-value=";
  private_key key;
  ASSERT_EQ(face.open(with_value + encoded, key), HSMTLS_P11_OK);
  EXPECT_EQ(1U, log.count("pin-in-uri"));
  EXPECT_THAT(log.text(), HasSubstr(" warning pin-in-uri advice=\"use pin-source: "));
  trouble.run("drop-sessions");
  expect_right_signature(key);
  EXPECT_EQ(1U, log.count("pin-in-uri")) << "once for each key, not for each login";
  key.release();
  EXPECT_EQ(face.try_open(with_value + wrong), HSMTLS_P11_PIN_INCORRECT);
  EXPECT_EQ(2U, log.count("pin-in-uri"));
  const scratch_file file(right);
  EXPECT_EQ(face.try_open(std::string(device) + "?pin-source=" + file.source()), HSMTLS_P11_OK);
  EXPECT_EQ(2U, log.count("pin-in-uri")) << "a URI that only says where the PIN is";
  expect_no_secret(log.text());
}

TEST_F(PrivateOpen, ShowsTheCertificatesOfTheKeyFirst) {
  private_key key;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=rsa", key, pin), HSMTLS_P11_OK);
  ASSERT_EQ(1U, key.certificates().size());
  key = open_device();
  const auto all = key.certificates();
  ASSERT_EQ(1U, all.size());
  EXPECT_EQ((bytes{1}), all[0].id);
  EXPECT_FALSE(all[0].value.empty());
  EXPECT_THAT(all[0].uri, HasSubstr("type=cert"));
}

TEST_F(PrivateOpen, ListsTheTokens) {
  std::vector<std::string> labels;
  hsmtls_p11_error error{};
  const int32_t code = face->list_tokens(
      [](void* user, const hsmtls_p11_token_info* one) {
        static_cast<std::vector<std::string>*>(user)->push_back(one->label);
        EXPECT_THAT(one->uri, HasSubstr(one->label));
        EXPECT_THAT(one->module, HasSubstr("chaos"));
      },
      &labels,
      &error);
  EXPECT_EQ(answer_of(code, error), HSMTLS_P11_OK);
  EXPECT_EQ((std::vector<std::string>{"stub-a", "stub-b"}), labels);
}

TEST_F(PrivateOpen, ListsPrivateObjectsOnlyWithAPin) {
  std::vector<listed> open_half;
  EXPECT_EQ(face.list("pkcs11:token=stub-a", open_half), HSMTLS_P11_OK);
  EXPECT_EQ(4U, open_half.size()) << "three public keys and a certificate";
  std::vector<listed> all;
  EXPECT_EQ(face.list("pkcs11:token=stub-a", all, pin), HSMTLS_P11_OK);
  EXPECT_EQ(7U, all.size());
  for (const listed& one : all) {
    if (one.object_class == CKO_PRIVATE_KEY && one.label == "device") {
      EXPECT_EQ(uint64_t{CKK_EC}, one.key_type);
      EXPECT_NE(0U, one.flags & HSMTLS_P11_LOCAL);
    }
    if (one.object_class == CKO_CERTIFICATE) {
      EXPECT_EQ(UINT64_MAX, one.key_type);
    }
  }
}

TEST_F(PrivateOpen, OpensTheUriOfAListedKey) {
  std::vector<listed> all;
  ASSERT_EQ(face.list("pkcs11:token=stub-a;type=private", all, pin), HSMTLS_P11_OK);
  ASSERT_EQ(3U, all.size());
  for (const listed& one : all) EXPECT_EQ(face.try_open(one.uri, pin), HSMTLS_P11_OK) << one.uri;
}

TEST(PrivateModule, IsNamedWhenItCannotBeLoaded) {
  const log_file log;
  const module_under_test front = load_front("/nonexistent/vendor.so", std::chrono::seconds(1));
  const private_face face(front);
  captured_stderr said;
  const answer got = face.try_open(device, with_pin("1234"));
  EXPECT_EQ(got, HSMTLS_P11_MODULE);
  EXPECT_THAT(got.message, HasSubstr("HSMTLS_MODULE: '/nonexistent/vendor.so' cannot be loaded: "));
  EXPECT_EQ("", said.stop()) << "the caller has the sentence";
  EXPECT_THAT(log.text(), HasSubstr("/nonexistent/vendor.so"));
}

}  // namespace
}  // namespace hsmtls::test
