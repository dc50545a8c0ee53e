// The application's handles: what they mean after objects were renamed, and after others came.
#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {
namespace {

class Handles : public over_stub {
 protected:
  Handles() {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    key = only("rsa");
  }

  // The private key with this label that a search finds.
  CK_OBJECT_HANDLE only(std::string label) {
    CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                              {CKA_LABEL, label.data(), label.size()}};
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    EXPECT_RV(CKR_OK, app.p11.C_FindObjectsInit(session, pattern, 2));
    EXPECT_RV(CKR_OK, app.p11.C_FindObjects(session, found, 2, &count));
    EXPECT_RV(CKR_OK, app.p11.C_FindObjectsFinal(session));
    EXPECT_EQ(1U, count) << label;
    return count == 1 ? found[0] : 0;
  }

  CK_RV rename(CK_OBJECT_HANDLE object, std::string label) {
    CK_ATTRIBUTE name{CKA_LABEL, label.data(), label.size()};
    return app.p11.C_SetAttributeValue(session, object, &name, 1);
  }

  // Somebody else makes a key pair in the token. Returns what it signs.
  static bytes generate_behind_our_back(std::string label, bytes id) {
    const module_under_test vendor(HSMTLS_TEST_STUB_VENDOR);
    CK_SESSION_HANDLE theirs = 0;
    EXPECT_RV(
        CKR_OK,
        vendor->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &theirs));
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG bits = 2048;
    CK_ATTRIBUTE public_half[] = {{CKA_TOKEN, &yes, 1},
                                  {CKA_LABEL, label.data(), label.size()},
                                  {CKA_ID, id.data(), id.size()},
                                  {CKA_MODULUS_BITS, &bits, sizeof bits}};
    CK_ATTRIBUTE private_half[] = {{CKA_TOKEN, &yes, 1},
                                   {CKA_PRIVATE, &yes, 1},
                                   {CKA_LABEL, label.data(), label.size()},
                                   {CKA_ID, id.data(), id.size()}};
    CK_MECHANISM pair{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE halves[2];
    EXPECT_RV(CKR_OK,
              vendor->C_GenerateKeyPair(
                  theirs, &pair, public_half, 4, private_half, 4, &halves[0], &halves[1]));
    bytes modulus(512);
    CK_ATTRIBUTE read{CKA_MODULUS, modulus.data(), modulus.size()};
    EXPECT_RV(CKR_OK, vendor->C_GetAttributeValue(theirs, halves[0], &read, 1));
    EXPECT_RV(CKR_OK, vendor->C_CloseSession(theirs));
    const bytes data = "data"_b;
    return stub::signature(stub::key_mark(modulus.data(), read.ulValueLen),
                           CKM_RSA_PKCS,
                           data.data(),
                           data.size(),
                           read.ulValueLen);
  }

  bytes signed_with(CK_OBJECT_HANDLE one) {
    bytes signature;
    EXPECT_RV(CKR_OK, app.sign(session, one, "data"_b, &signature, CKM_RSA_PKCS));
    return signature;
  }

  client app{front};
  CK_SESSION_HANDLE session = app.open(0, CKF_RW_SESSION);
  CK_OBJECT_HANDLE key = 0;
};

TEST_F(Handles, OfARenamedKeyAreNotGivenToANewKeyOfItsOldName) {
  const bytes old_key = signed_with(key);
  ASSERT_RV(CKR_OK, rename(key, "rsa-old"));
  const bytes new_key = generate_behind_our_back("rsa", {2});
  ASSERT_NE(old_key, new_key);
  trouble.run("drop-sessions");
  const CK_OBJECT_HANDLE found = only("rsa");
  EXPECT_NE(key, found);
  EXPECT_EQ(new_key, signed_with(found));
  EXPECT_EQ(old_key, signed_with(key));
  EXPECT_EQ(key, only("rsa-old"));
}

TEST_F(Handles, OfARenamedKeyStayWhenTheTokenIsLostBeforeItsNameIsReadAgain) {
  const bytes old_key = signed_with(key);
  trouble.run("drop-sessions-at C_GetAttributeValue 1");
  ASSERT_RV(CKR_OK, rename(key, "rsa-old"));
  EXPECT_EQ(old_key, signed_with(key));
  EXPECT_EQ(key, only("rsa-old"));
}

}  // namespace
}  // namespace hsmtls::test
