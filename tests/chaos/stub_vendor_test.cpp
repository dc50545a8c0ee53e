// The stub vendor keeps to the specification where tests of other parts rely on it.
#include <cstring>
#include <set>

#include "fixture.hpp"

namespace hsmtls::test {
namespace {

using testing::IsEmpty;

class StubVendor : public testing::Test {
 protected:
  StubVendor() : module(HSMTLS_TEST_STUB_VENDOR), call(module.functions()) {}

  void SetUp() override {
    ASSERT_EQ(call->C_Initialize(nullptr), CKR_OK);
    ASSERT_EQ(open_session(call, 0, &session), CKR_OK);
  }

  CK_RV start_signature(CK_BYTE id = 1) {
    CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
    return call->C_SignInit(session, &ecdsa, find(call, session, CKO_PRIVATE_KEY, id));
  }

  module_under_test module;
  CK_FUNCTION_LIST* call;
  CK_SESSION_HANDLE session = 0;
};

TEST_F(StubVendor, SucceedsInEveryFunction) {
  // Through the chaos module, which counts.
  ASSERT_EQ(call->C_Finalize(nullptr), CKR_OK);
  const module_under_test counted(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR));
  const chaos control;
  CK_FUNCTION_LIST_3_0* all = counted.functions_3_0();
  ASSERT_NE(all, nullptr);
  CK_FUNCTION_LIST* list = nullptr;
  CK_INTERFACE* interface = nullptr;
  CK_ULONG n = 0;
  EXPECT_EQ(all->C_GetFunctionList(&list), CKR_OK);
  EXPECT_EQ(all->C_GetInterface(nullptr, nullptr, &interface, 0), CKR_OK);
  EXPECT_EQ(all->C_GetInterfaceList(nullptr, &n), CKR_OK);
  EXPECT_EQ(n, 2U);

  CK_INFO info;
  CK_SLOT_INFO slot_info;
  CK_TOKEN_INFO token_info;
  CK_MECHANISM_INFO mechanism_info;
  CK_SESSION_INFO session_info;
  CK_SESSION_HANDLE s = 0;
  std::string so_pin = "so1234";
  std::string pin = "5678";
  std::string label(32, 'x');
  EXPECT_EQ(all->C_Initialize(nullptr), CKR_OK);
  EXPECT_EQ(all->C_GetInfo(&info), CKR_OK);
  EXPECT_EQ(all->C_GetSlotList(CK_TRUE, nullptr, &n), CKR_OK);
  EXPECT_EQ(all->C_GetSlotInfo(0, &slot_info), CKR_OK);
  EXPECT_EQ(all->C_GetTokenInfo(0, &token_info), CKR_OK);
  EXPECT_EQ(all->C_GetMechanismList(0, nullptr, &n), CKR_OK);
  EXPECT_EQ(all->C_GetMechanismInfo(0, CKM_ECDSA, &mechanism_info), CKR_OK);
  EXPECT_EQ(all->C_InitToken(1, utf8(so_pin), so_pin.size(), utf8(label)), CKR_OK);
  EXPECT_EQ(open_session(list, 1, &s), CKR_OK);
  EXPECT_EQ(login(list, s, so_pin, CKU_SO), CKR_OK);
  EXPECT_EQ(all->C_InitPIN(s, utf8(pin), pin.size()), CKR_OK);
  EXPECT_EQ(all->C_Logout(s), CKR_OK);
  EXPECT_EQ(all->C_LoginUser(s, CKU_USER, utf8(pin), pin.size(), nullptr, 0), CKR_OK);
  EXPECT_EQ(all->C_SetPIN(s, utf8(pin), pin.size(), utf8(pin), pin.size()), CKR_OK);
  EXPECT_EQ(all->C_CloseSession(s), CKR_OK);
  EXPECT_EQ(open_session(list, 1, &s), CKR_OK);
  EXPECT_EQ(all->C_CloseAllSessions(1), CKR_OK);

  EXPECT_EQ(open_session(list, 0, &s), CKR_OK);
  EXPECT_EQ(login(list, s, "1234"), CKR_OK);
  EXPECT_EQ(all->C_GetSessionInfo(s, &session_info), CKR_OK);
  EXPECT_EQ(session_info.state, CKS_RW_USER_FUNCTIONS);

  CK_OBJECT_CLASS data_class = CKO_DATA;
  CK_ATTRIBUTE data_object[] = {{CKA_CLASS, &data_class, sizeof data_class},
                                {CKA_LABEL, label.data(), label.size()}};
  CK_OBJECT_HANDLE made = 0;
  CK_OBJECT_HANDLE copy = 0;
  EXPECT_EQ(all->C_CreateObject(s, data_object, 2, &made), CKR_OK);
  EXPECT_EQ(all->C_CopyObject(s, made, nullptr, 0, &copy), CKR_OK);
  EXPECT_EQ(all->C_GetObjectSize(s, copy, &n), CKR_OK);
  EXPECT_EQ(all->C_SetAttributeValue(s, copy, &data_object[1], 1), CKR_OK);
  EXPECT_EQ(all->C_GetAttributeValue(s, copy, &data_object[1], 1), CKR_OK);
  EXPECT_EQ(all->C_DestroyObject(s, copy), CKR_OK);
  const CK_OBJECT_HANDLE rsa = find(list, s, CKO_PRIVATE_KEY, 2);  // C_FindObjects*
  const CK_OBJECT_HANDLE rsa_public = find(list, s, CKO_PUBLIC_KEY, 2);

  CK_BBOOL yes = CK_TRUE;
  CK_ATTRIBUTE extractable = {CKA_EXTRACTABLE, &yes, sizeof yes};
  CK_MECHANISM aes_generation = {CKM_AES_KEY_GEN, nullptr, 0};
  CK_MECHANISM ec_generation = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_MECHANISM aes = {CKM_AES_CBC, nullptr, 0};
  CK_MECHANISM pkcs1 = {CKM_RSA_PKCS, nullptr, 0};
  CK_MECHANISM ecdh = {CKM_ECDH1_DERIVE, nullptr, 0};
  CK_MECHANISM sha256 = {CKM_SHA256, nullptr, 0};
  CK_OBJECT_HANDLE secret = 0;
  CK_OBJECT_HANDLE pair[2];
  EXPECT_EQ(all->C_GenerateKey(s, &aes_generation, &extractable, 1, &secret), CKR_OK);
  EXPECT_EQ(all->C_GenerateKeyPair(s, &ec_generation, nullptr, 0, nullptr, 0, &pair[0], &pair[1]),
            CKR_OK);
  EXPECT_EQ(all->C_DeriveKey(s, &ecdh, pair[1], nullptr, 0, &made), CKR_OK);

  CK_BYTE in[] = "sixteen bytes ..";
  CK_BYTE out[512];
  CK_BYTE back[512];
  CK_ULONG len = sizeof out;
  EXPECT_EQ(all->C_WrapKey(s, &aes, secret, secret, out, &len), CKR_OK);
  EXPECT_EQ(all->C_UnwrapKey(s, &aes, secret, out, len, nullptr, 0, &made), CKR_OK);

  const auto room = [&]() -> CK_ULONG* {
    n = sizeof out;
    return &n;
  };
  EXPECT_EQ(all->C_EncryptInit(s, &aes, secret), CKR_OK);
  EXPECT_EQ(all->C_Encrypt(s, in, 16, out, room()), CKR_OK);
  EXPECT_EQ(all->C_DecryptInit(s, &aes, secret), CKR_OK);
  EXPECT_EQ(all->C_Decrypt(s, out, 16, back, room()), CKR_OK);
  EXPECT_EQ(std::memcmp(in, back, 16), 0);
  EXPECT_EQ(all->C_EncryptInit(s, &aes, secret), CKR_OK);
  EXPECT_EQ(all->C_DigestInit(s, &sha256), CKR_OK);
  EXPECT_EQ(all->C_SignInit(s, &pkcs1, rsa), CKR_OK);
  EXPECT_EQ(all->C_EncryptUpdate(s, in, 16, out, room()), CKR_OK);
  EXPECT_EQ(all->C_DigestEncryptUpdate(s, in, 16, out, room()), CKR_OK);
  EXPECT_EQ(all->C_SignEncryptUpdate(s, in, 16, out, room()), CKR_OK);
  EXPECT_EQ(all->C_EncryptFinal(s, back, room()), CKR_OK);
  CK_BYTE digest[32];
  EXPECT_EQ(all->C_DigestFinal(s, digest, room()), CKR_OK);
  CK_BYTE signature[256];
  EXPECT_EQ(all->C_SignFinal(s, signature, room()), CKR_OK);
  EXPECT_EQ(n, 256U);

  EXPECT_EQ(all->C_DecryptInit(s, &aes, secret), CKR_OK);
  EXPECT_EQ(all->C_DigestInit(s, &sha256), CKR_OK);
  EXPECT_EQ(all->C_VerifyInit(s, &pkcs1, rsa_public), CKR_OK);
  EXPECT_EQ(all->C_DecryptVerifyUpdate(s, out, 16, back, room()), CKR_OK);
  EXPECT_EQ(all->C_VerifyFinal(s, signature, 256), CKR_OK);
  EXPECT_EQ(all->C_DecryptDigestUpdate(s, out, 16, back, room()), CKR_OK);
  EXPECT_EQ(all->C_DecryptUpdate(s, out, 16, back, room()), CKR_OK);
  EXPECT_EQ(all->C_DecryptFinal(s, back, room()), CKR_OK);
  EXPECT_EQ(all->C_DigestKey(s, secret), CKR_OK);
  EXPECT_EQ(all->C_DigestUpdate(s, in, 16), CKR_OK);
  std::vector<CK_BYTE> state(8192);
  n = state.size();
  EXPECT_EQ(all->C_GetOperationState(s, state.data(), &n), CKR_OK);
  EXPECT_EQ(all->C_SetOperationState(s, state.data(), n, 0, 0), CKR_OK);
  EXPECT_EQ(all->C_SessionCancel(s, CKF_DIGEST), CKR_OK);
  EXPECT_EQ(all->C_DigestInit(s, &sha256), CKR_OK);
  EXPECT_EQ(all->C_Digest(s, in, 16, out, room()), CKR_OK);

  EXPECT_EQ(all->C_SignInit(s, &pkcs1, rsa), CKR_OK);
  EXPECT_EQ(all->C_Sign(s, in, 16, signature, room()), CKR_OK);
  EXPECT_EQ(all->C_SignInit(s, &pkcs1, rsa), CKR_OK);
  EXPECT_EQ(all->C_SignUpdate(s, in, 16), CKR_OK);
  EXPECT_EQ(all->C_SignFinal(s, out, room()), CKR_OK);
  EXPECT_EQ(std::memcmp(signature, out, 256), 0);
  EXPECT_EQ(all->C_VerifyInit(s, &pkcs1, rsa_public), CKR_OK);
  EXPECT_EQ(all->C_Verify(s, in, 16, signature, 256), CKR_OK);
  EXPECT_EQ(all->C_VerifyInit(s, &pkcs1, rsa_public), CKR_OK);
  EXPECT_EQ(all->C_VerifyUpdate(s, in, 16), CKR_OK);
  EXPECT_EQ(all->C_VerifyFinal(s, signature, 256), CKR_OK);
  EXPECT_EQ(all->C_SignRecoverInit(s, &pkcs1, rsa), CKR_OK);
  EXPECT_EQ(all->C_SignRecover(s, in, 16, out, room()), CKR_OK);
  EXPECT_EQ(all->C_VerifyRecoverInit(s, &pkcs1, rsa_public), CKR_OK);
  EXPECT_EQ(all->C_VerifyRecover(s, out, 16, back, room()), CKR_OK);
  EXPECT_EQ(std::memcmp(in, back, 16), 0);

  EXPECT_EQ(all->C_MessageEncryptInit(s, &aes, secret), CKR_OK);
  EXPECT_EQ(all->C_EncryptMessage(s, nullptr, 0, nullptr, 0, in, 16, out, room()), CKR_OK);
  EXPECT_EQ(all->C_EncryptMessageBegin(s, nullptr, 0, nullptr, 0), CKR_OK);
  EXPECT_EQ(all->C_EncryptMessageNext(s, nullptr, 0, in, 16, out, room(), CKF_END_OF_MESSAGE),
            CKR_OK);
  EXPECT_EQ(all->C_MessageEncryptFinal(s), CKR_OK);
  EXPECT_EQ(all->C_MessageDecryptInit(s, &aes, secret), CKR_OK);
  EXPECT_EQ(all->C_DecryptMessage(s, nullptr, 0, nullptr, 0, out, 16, back, room()), CKR_OK);
  EXPECT_EQ(std::memcmp(in, back, 16), 0);
  EXPECT_EQ(all->C_DecryptMessageBegin(s, nullptr, 0, nullptr, 0), CKR_OK);
  EXPECT_EQ(all->C_DecryptMessageNext(s, nullptr, 0, out, 16, back, room(), CKF_END_OF_MESSAGE),
            CKR_OK);
  EXPECT_EQ(all->C_MessageDecryptFinal(s), CKR_OK);
  EXPECT_EQ(all->C_MessageSignInit(s, &pkcs1, rsa), CKR_OK);
  EXPECT_EQ(all->C_SignMessage(s, nullptr, 0, in, 16, signature, room()), CKR_OK);
  EXPECT_EQ(all->C_SignMessageBegin(s, nullptr, 0), CKR_OK);
  EXPECT_EQ(all->C_SignMessageNext(s, nullptr, 0, in, 8, nullptr, nullptr), CKR_OK);
  EXPECT_EQ(all->C_SignMessageNext(s, nullptr, 0, in + 8, 8, nullptr, room()), CKR_OK);
  EXPECT_EQ(all->C_SignMessageNext(s, nullptr, 0, in + 8, 8, out, room()), CKR_OK);
  EXPECT_EQ(std::memcmp(signature, out, 256), 0);
  EXPECT_EQ(all->C_MessageSignFinal(s), CKR_OK);
  EXPECT_EQ(all->C_MessageVerifyInit(s, &pkcs1, rsa_public), CKR_OK);
  EXPECT_EQ(all->C_VerifyMessage(s, nullptr, 0, in, 16, signature, 256), CKR_OK);
  EXPECT_EQ(all->C_VerifyMessageBegin(s, nullptr, 0), CKR_OK);
  EXPECT_EQ(all->C_VerifyMessageNext(s, nullptr, 0, in, 8, nullptr, 0), CKR_OK);
  EXPECT_EQ(all->C_VerifyMessageNext(s, nullptr, 0, in + 8, 8, signature, 256), CKR_OK);
  EXPECT_EQ(all->C_MessageVerifyFinal(s), CKR_OK);

  EXPECT_EQ(all->C_SeedRandom(s, in, 16), CKR_OK);
  EXPECT_EQ(all->C_GenerateRandom(s, out, 16), CKR_OK);
  CK_SLOT_ID slot = 0;
  EXPECT_EQ(all->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr), CKR_NO_EVENT);
  EXPECT_EQ(all->C_GetFunctionStatus(s), CKR_FUNCTION_NOT_PARALLEL);
  EXPECT_EQ(all->C_CancelFunction(s), CKR_FUNCTION_NOT_PARALLEL);
  EXPECT_EQ(all->C_Finalize(nullptr), CKR_OK);

  // PKCS#11 v3.0 section 5.17: the last two are there to say that, and nothing ever happens here.
  const std::set<std::string> excused = {
      "C_WaitForSlotEvent", "C_GetFunctionStatus", "C_CancelFunction"};
#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) \
  EXPECT_TRUE(excused.count(#name) == 1 || control.count(#name " CKR_OK") > 0) << #name;
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0
}

TEST_F(StubVendor, HidesPrivateObjectsUntilLogin) {
  const CK_OBJECT_HANDLE public_key = find(call, session, CKO_PUBLIC_KEY, 1);
  EXPECT_NE(public_key, 0U);
  EXPECT_EQ(find(call, session, CKO_PRIVATE_KEY, 1), 0U);
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  const CK_OBJECT_HANDLE key = find(call, session, CKO_PRIVATE_KEY, 1);
  EXPECT_NE(key, 0U);
  EXPECT_EQ(call->C_Logout(session), CKR_OK);
  CK_MECHANISM ecdsa = {CKM_ECDSA, nullptr, 0};
  EXPECT_EQ(call->C_SignInit(session, &ecdsa, key), CKR_USER_NOT_LOGGED_IN);
}

TEST_F(StubVendor, LocksThePinAfterThreeMistakes) {
  const auto flags = [&] {
    CK_TOKEN_INFO info;
    EXPECT_EQ(call->C_GetTokenInfo(0, &info), CKR_OK);
    return info.flags & 0xf0000;
  };
  EXPECT_EQ(login(call, session, "wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(flags(), CKF_USER_PIN_COUNT_LOW);
  EXPECT_EQ(login(call, session, "1234"), CKR_OK);
  EXPECT_EQ(flags(), 0U);
  EXPECT_EQ(login(call, session, "wrong"), CKR_USER_ALREADY_LOGGED_IN);
  EXPECT_EQ(call->C_Logout(session), CKR_OK);
  EXPECT_EQ(login(call, session, "wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(login(call, session, "wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
  EXPECT_EQ(login(call, session, "wrong"), CKR_PIN_INCORRECT);
  EXPECT_EQ(login(call, session, "1234"), CKR_PIN_LOCKED);
  EXPECT_EQ(flags(), CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED);
}

TEST_F(StubVendor, LogsOutWithTheLastSession) {
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  EXPECT_EQ(call->C_CloseSession(session), CKR_OK);
  ASSERT_EQ(open_session(call, 0, &session), CKR_OK);
  EXPECT_EQ(login(call, session, "1234"), CKR_OK);
  EXPECT_EQ(call->C_CloseAllSessions(0), CKR_OK);
  ASSERT_EQ(open_session(call, 0, &session), CKR_OK);
  EXPECT_EQ(login(call, session, "1234"), CKR_OK);
}

TEST_F(StubVendor, KeepsOneOperationOfAKindPerSession) {
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  CK_BYTE data[32] = {};
  CK_BYTE out[64];
  CK_ULONG len = sizeof out;
  EXPECT_EQ(call->C_Sign(session, data, 32, out, &len), CKR_OPERATION_NOT_INITIALIZED);
  EXPECT_EQ(start_signature(), CKR_OK);
  EXPECT_EQ(start_signature(), CKR_OPERATION_ACTIVE);
  EXPECT_EQ(call->C_Sign(session, data, 32, nullptr, &len), CKR_OK);
  EXPECT_EQ(len, 64U);
  len = 63;
  EXPECT_EQ(call->C_Sign(session, data, 32, out, &len), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(len, 64U);
  EXPECT_EQ(call->C_Sign(session, data, 32, out, &len), CKR_OK);
  EXPECT_EQ(call->C_Sign(session, data, 32, out, &len), CKR_OPERATION_NOT_INITIALIZED);
  EXPECT_EQ(call->C_FindObjectsInit(session, nullptr, 0), CKR_OK);
  EXPECT_EQ(call->C_FindObjectsInit(session, nullptr, 0), CKR_OPERATION_ACTIVE);
}

TEST_F(StubVendor, SignsDifferentlyWithEachKey) {
  std::set<std::vector<CK_BYTE>> seen;
  for (const CK_SLOT_ID slot : {0, 1}) {
    ASSERT_EQ(open_session(call, slot, &session), CKR_OK);
    ASSERT_EQ(login(call, session, "1234"), CKR_OK);
    CK_BYTE data[32] = {7};
    std::vector<CK_BYTE> out(64);
    CK_ULONG len = out.size();
    ASSERT_EQ(start_signature(), CKR_OK);
    ASSERT_EQ(call->C_Sign(session, data, 32, out.data(), &len), CKR_OK);
    const auto point = read(call, session, find(call, session, CKO_PUBLIC_KEY, 1), CKA_EC_POINT);
    EXPECT_EQ(out,
              stub::signature(stub::key_mark(point.data(), point.size()), CKM_ECDSA, data, 32));
    seen.insert(out);
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(StubVendor, ReusesSessionHandlesAndRenumbersObjects) {
  CK_SESSION_HANDLE again = 0;
  EXPECT_EQ(call->C_CloseAllSessions(0), CKR_OK);
  ASSERT_EQ(open_session(call, 0, &again), CKR_OK);
  EXPECT_EQ(again, session);
  const CK_OBJECT_HANDLE before = find(call, session, CKO_PUBLIC_KEY, 1);
  EXPECT_EQ(call->C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(call->C_GetSessionInfo(session, nullptr), CKR_CRYPTOKI_NOT_INITIALIZED);
  EXPECT_EQ(call->C_Initialize(nullptr), CKR_OK);
  ASSERT_EQ(open_session(call, 0, &again), CKR_OK);
  EXPECT_EQ(again, session);
  EXPECT_NE(find(call, session, CKO_PUBLIC_KEY, 1), before);
}

TEST_F(StubVendor, ForgetsSessionObjectsWithTheirSession) {
  CK_OBJECT_CLASS kind = CKO_DATA;
  CK_BYTE id = 9;
  CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &kind, sizeof kind}, {CKA_ID, &id, sizeof id}};
  CK_OBJECT_HANDLE made = 0;
  CK_SESSION_HANDLE other = 0;
  ASSERT_EQ(open_session(call, 0, &other), CKR_OK);
  ASSERT_EQ(call->C_CreateObject(other, attributes, 2, &made), CKR_OK);
  EXPECT_EQ(find(call, session, CKO_DATA, 9), made);
  EXPECT_EQ(call->C_CloseSession(other), CKR_OK);
  EXPECT_EQ(find(call, session, CKO_DATA, 9), 0U);
}

TEST_F(StubVendor, AnswersEveryAttributeThatIsAsked) {
  ASSERT_EQ(login(call, session, "1234"), CKR_OK);
  const CK_OBJECT_HANDLE key = find(call, session, CKO_PRIVATE_KEY, 1);
  CK_BYTE small[2];
  CK_BYTE id[4];
  CK_BYTE value[64];
  CK_ATTRIBUTE asked[] = {{CKA_VALUE, value, sizeof value},
                          {CKA_ID, id, sizeof id},
                          {CKA_EC_POINT, value, sizeof value},
                          {CKA_EC_PARAMS, nullptr, 0},
                          {CKA_LABEL, small, sizeof small}};
  EXPECT_EQ(call->C_GetAttributeValue(session, key, asked, 5), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(asked[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(asked[1].ulValueLen, 1U);
  EXPECT_EQ(asked[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(asked[3].ulValueLen, 10U);
  EXPECT_EQ(asked[4].ulValueLen, CK_UNAVAILABLE_INFORMATION);
  EXPECT_EQ(call->C_GetAttributeValue(session, key, asked, 1), CKR_ATTRIBUTE_SENSITIVE);
  EXPECT_THAT(read(call, session, key, CKA_EC_POINT), IsEmpty());
  EXPECT_FALSE(read(call, session, find(call, session, CKO_CERTIFICATE, 1), CKA_VALUE).empty());
}

TEST_F(StubVendor, KeepsToTheSessionLimitFromTheEnvironment) {
  ASSERT_EQ(call->C_Finalize(nullptr), CKR_OK);
  setenv("HSMTLS_STUB_MAX_SESSIONS", "2", 1);
  ASSERT_EQ(call->C_Initialize(nullptr), CKR_OK);
  CK_SESSION_HANDLE opened = 0;
  EXPECT_EQ(open_session(call, 0, &opened), CKR_OK);
  EXPECT_EQ(open_session(call, 0, &opened), CKR_OK);
  EXPECT_EQ(open_session(call, 0, &opened), CKR_SESSION_COUNT);
  CK_TOKEN_INFO info;
  ASSERT_EQ(call->C_GetTokenInfo(0, &info), CKR_OK);
  EXPECT_EQ(info.ulMaxSessionCount, 2U);
}

TEST_F(StubVendor, RefusesTokenChangesInTheWrongState) {
  CK_SESSION_HANDLE read_only = 0;
  std::string so_pin = "so1234";
  std::string label(32, ' ');
  ASSERT_EQ(call->C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &read_only), CKR_OK);
  EXPECT_EQ(login(call, session, so_pin, CKU_SO), CKR_SESSION_READ_ONLY_EXISTS);
  EXPECT_EQ(call->C_InitToken(0, utf8(so_pin), so_pin.size(), utf8(label)), CKR_SESSION_EXISTS);
  EXPECT_EQ(call->C_DestroyObject(read_only, find(call, read_only, CKO_PUBLIC_KEY, 1)),
            CKR_SESSION_READ_ONLY);
  EXPECT_EQ(call->C_CloseSession(read_only), CKR_OK);
  EXPECT_EQ(login(call, session, so_pin, CKU_SO), CKR_OK);
  EXPECT_EQ(call->C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &read_only),
            CKR_SESSION_READ_WRITE_SO_EXISTS);
}

}  // namespace
}  // namespace hsmtls::test
