// An application that uses every function of PKCS#11 once, keeps what each call answered, and
// checks what the successful ones gave. It goes on after an error, as far as it makes sense.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "tests/pkcs11/client.hpp"
#include "tests/support/stub_vendor/stub_signature.hpp"

namespace hsmtls::test {

// Where the stub vendor's tokens are in the module under test, and what their keys make.
struct known_tokens {
  CK_SLOT_ID first = 0;
  CK_SLOT_ID second = 1;
  bytes ec_point;  // of "device" on the first
  bytes modulus;   // of "rsa" on the first
};

// A call of the walking application, noted with its name.
#define CALL(name, ...) call(#name, p11.name, __VA_ARGS__)

class walk {
 public:
  struct answer {
    const char* function;
    CK_RV value;
  };

  walk(const CK_FUNCTION_LIST_3_0& functions, known_tokens known)
      : p11(functions), tokens(std::move(known)) {}

  std::vector<answer> answers;
  std::vector<std::string> wrong;  // successes that were none
  int objects_made = 0;            // token objects that the application knows of
  int objects_destroyed = 0;
  std::chrono::steady_clock::duration slowest{};

  bool initialised = false;
  bool logged_in = false;
  CK_SESSION_HANDLE session = 0;
  CK_OBJECT_HANDLE key = 0;

  // --- from C_Initialize to C_Finalize ---

  void open_up() {
    initialised = CALL(C_Initialize, nullptr) == CKR_OK;
    if (!initialised) return;
    session = open(tokens.first);
    if (session == 0) return;
    logged_in = log_in("C_Login", session, CKU_USER, "1234");
    if (logged_in) key = find(CKO_PRIVATE_KEY, 1);
  }

  void close_down() {
    if (session != 0) {
      if (logged_in) CALL(C_Logout, session);
      CALL(C_CloseSession, session);
    }
    session = 0;
    logged_in = false;
  }

  void finalise() {
    if (initialised) CALL(C_Finalize, nullptr);
    initialised = false;
  }

  // --- chapters; each for an application that is up ---

  void sign_once() {
    if (key == 0) return;
    bytes signature(64);
    if (!sign(CKM_ECDSA, key, signature)) return;
    expect("C_Sign", signature == signature_of(tokens.ec_point, CKM_ECDSA));
  }

  // As an application that does not give up at once.
  void sign_until_it_works() {
    for (int i = 0; i < 5 && key != 0; ++i) {
      sign_once();
      if (answers.back().value == CKR_OK) return;
    }
  }

  void look_around() {
    CK_INFO info{};
    CALL(C_GetInfo, &info);
    CK_SLOT_ID slots[8];
    CK_ULONG count = 0;
    if (CALL(C_GetSlotList, CK_BBOOL{CK_TRUE}, nullptr, &count) == CKR_OK) {
      count = std::size(slots);
      if (CALL(C_GetSlotList, CK_BBOOL{CK_TRUE}, slots, &count) == CKR_OK) {
        expect("C_GetSlotList",
               count == 2 && slots[0] == tokens.first && slots[1] == tokens.second);
      }
    }
    CK_SLOT_INFO slot{};
    CALL(C_GetSlotInfo, tokens.first, &slot);
    CK_TOKEN_INFO token{};
    if (CALL(C_GetTokenInfo, tokens.first, &token) == CKR_OK) {
      expect("C_GetTokenInfo", pkcs11::unpadded(token.label) == "stub-a");
    }
    CK_MECHANISM_TYPE mechanisms[64];
    count = std::size(mechanisms);
    if (CALL(C_GetMechanismList, tokens.first, mechanisms, &count) == CKR_OK) {
      expect("C_GetMechanismList", std::count(mechanisms, mechanisms + count, CKM_ECDSA) == 1);
    }
    CK_MECHANISM_INFO mechanism{};
    CALL(C_GetMechanismInfo, tokens.first, CKM_ECDSA, &mechanism);
    CK_SLOT_ID event = 0;
    CALL(C_WaitForSlotEvent, CK_FLAGS{CKF_DONT_BLOCK}, &event, nullptr);
  }

  void sessions() {
    if (session == 0) return;
    CK_SESSION_INFO info{};
    if (CALL(C_GetSessionInfo, session, &info) == CKR_OK) {
      expect("C_GetSessionInfo",
             info.state == (logged_in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION));
    }
    sign_once();
    const CK_SESSION_HANDLE second = open(tokens.first);
    CK_UTF8CHAR pin[] = "1234";
    CALL(C_SetPIN, session, pin, CK_ULONG{4}, pin, CK_ULONG{4});
    saved_state(second);
    CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
    CALL(C_DigestInit, session, &mechanism);
    CALL(C_SessionCancel, session, CK_FLAGS{CKF_DIGEST});
    if (logged_in && CALL(C_Logout, session) == CKR_OK) {
      logged_in = log_in("C_LoginUser", session, CKU_USER, "1234");
      key = logged_in ? find(CKO_PRIVATE_KEY, 1) : 0;
    }
    if (second != 0) CALL(C_CloseSession, second);
  }

  void administer() {
    CK_UTF8CHAR officer_pin[] = "so1234";
    CK_UTF8CHAR pin[] = "1234";
    CK_UTF8CHAR label[32];
    std::memset(label, ' ', sizeof label);
    std::memcpy(label, "stub-b", 6);
    CALL(C_InitToken, tokens.second, officer_pin, CK_ULONG{6}, label);
    const CK_SESSION_HANDLE in = open(tokens.second);
    if (in == 0) return;
    const bool officer = log_in("C_Login", in, CKU_SO, "so1234");
    if (officer) {
      CALL(C_InitPIN, in, pin, CK_ULONG{4});
      CALL(C_Logout, in);
    }
    CALL(C_CloseSession, in);
  }

  void objects() {
    if (session == 0) return;
    if (const CK_OBJECT_HANDLE half = find(CKO_PUBLIC_KEY, 1)) {
      bytes point(256);
      CK_ATTRIBUTE one{CKA_EC_POINT, point.data(), point.size()};
      if (CALL(C_GetAttributeValue, session, half, &one, CK_ULONG{1}) == CKR_OK) {
        point.resize(std::min<size_t>(one.ulValueLen, point.size()));
        expect("C_GetAttributeValue", point == tokens.ec_point);
      }
      CK_ULONG size = 0;
      CALL(C_GetObjectSize, session, half, &size);
    }
    CK_OBJECT_CLASS object_class = CKO_DATA;
    CK_BBOOL yes = CK_TRUE;
    char label[] = "sweep";
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class},
                              {CKA_TOKEN, &yes, sizeof yes},
                              {CKA_LABEL, label, 5}};
    CK_OBJECT_HANDLE note = 0;
    if (CALL(C_CreateObject, session, pattern, CK_ULONG{3}, &note) != CKR_OK) {
      return;
    }
    ++objects_made;
    CK_OBJECT_HANDLE copy = 0;
    if (CALL(C_CopyObject, session, note, nullptr, CK_ULONG{0}, &copy) == CKR_OK) {
      ++objects_made;
    }
    char text[] = "written";
    CK_ATTRIBUTE value{CKA_VALUE, text, 7};
    CALL(C_SetAttributeValue, session, note, &value, CK_ULONG{1});
    for (const CK_OBJECT_HANDLE one : {note, copy}) {
      if (one == 0) continue;
      if (CALL(C_DestroyObject, session, one) == CKR_OK) ++objects_destroyed;
    }
  }

  void signatures() {
    if (key == 0) return;
    sign_once();
    CK_MECHANISM mechanism{CKM_ECDSA_SHA256, nullptr, 0};
    bytes signature(64);
    CK_ULONG length = signature.size();
    if (CALL(C_SignInit, session, &mechanism, key) == CKR_OK &&
        CALL(C_SignUpdate, session, start(), half()) == CKR_OK &&
        CALL(C_SignUpdate, session, start() + half(), rest()) == CKR_OK &&
        CALL(C_SignFinal, session, signature.data(), &length) == CKR_OK) {
      expect("C_SignFinal", signature == signature_of(tokens.ec_point, CKM_ECDSA_SHA256));
    }

    const CK_OBJECT_HANDLE verifier = find(CKO_PUBLIC_KEY, 1);
    bytes right = signature_of(tokens.ec_point, CKM_ECDSA_SHA256);
    bytes forged = right;
    forged[0] ^= 1;
    if (verifier != 0) {
      if (CALL(C_VerifyInit, session, &mechanism, verifier) == CKR_OK) {
        CALL(C_Verify, session, start(), all(), right.data(), right.size());
      }
      if (CALL(C_VerifyInit, session, &mechanism, verifier) == CKR_OK) {
        expect("C_Verify",
               p11.C_Verify(session, start(), all(), forged.data(), forged.size()) != CKR_OK);
      }
      if (CALL(C_VerifyInit, session, &mechanism, verifier) == CKR_OK &&
          CALL(C_VerifyUpdate, session, start(), all()) == CKR_OK) {
        CALL(C_VerifyFinal, session, right.data(), right.size());
      }
    }
    recoverable_signatures();
  }

  void ciphers() {
    if (session == 0) return;
    digests();
    const CK_OBJECT_HANDLE secret = generate(16);
    if (secret == 0) return;
    CK_MECHANISM mechanism{CKM_AES_ECB, nullptr, 0};
    bytes sealed(all());
    bytes opened(all());
    CK_ULONG length = all();
    const bool encrypted =
        CALL(C_EncryptInit, session, &mechanism, secret) == CKR_OK &&
        CALL(C_Encrypt, session, start(), all(), sealed.data(), &length) == CKR_OK;
    length = all();
    if (encrypted && CALL(C_DecryptInit, session, &mechanism, secret) == CKR_OK &&
        CALL(C_Decrypt, session, sealed.data(), all(), opened.data(), &length) == CKR_OK) {
      expect("C_Decrypt", opened == data);
    }
    length = all();
    CK_ULONG none = 0;
    bytes in_parts(all());
    if (CALL(C_EncryptInit, session, &mechanism, secret) == CKR_OK &&
        CALL(C_EncryptUpdate, session, start(), all(), in_parts.data(), &length) == CKR_OK &&
        CALL(C_EncryptFinal, session, in_parts.data(), &none) == CKR_OK) {
      expect("C_EncryptFinal", !encrypted || in_parts == sealed);
    }
    length = all();
    none = 0;
    bytes parts_opened(all());
    if (encrypted && CALL(C_DecryptInit, session, &mechanism, secret) == CKR_OK &&
        CALL(C_DecryptUpdate, session, sealed.data(), all(), parts_opened.data(), &length) ==
            CKR_OK &&
        CALL(C_DecryptFinal, session, parts_opened.data(), &none) == CKR_OK) {
      expect("C_DecryptFinal", parts_opened == data);
    }
    two_at_once(secret);
    CALL(C_DestroyObject, session, secret);
  }

  void keys() {
    if (session == 0 || !logged_in) return;
    const CK_OBJECT_HANDLE wrapping = generate(16);
    const CK_OBJECT_HANDLE wrapped = generate(24);
    if (wrapping != 0 && wrapped != 0) wrap_and_unwrap(wrapping, wrapped);
    if (key != 0) {
      CK_MECHANISM ecdh{CKM_ECDH1_DERIVE, nullptr, 0};
      CK_OBJECT_HANDLE derived = 0;
      CALL(C_DeriveKey, session, &ecdh, key, nullptr, CK_ULONG{0}, &derived);
    }
    CK_MECHANISM pair{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_BYTE curve[] = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    CK_ATTRIBUTE parameters{CKA_EC_PARAMS, curve, sizeof curve};
    CK_OBJECT_HANDLE halves[2] = {0, 0};
    if (CALL(C_GenerateKeyPair,
             session,
             &pair,
             &parameters,
             CK_ULONG{1},
             nullptr,
             CK_ULONG{0},
             &halves[0],
             &halves[1]) == CKR_OK) {
      expect("C_GenerateKeyPair", halves[0] != 0 && halves[1] != 0 && halves[0] != halves[1]);
    }
    CK_BYTE noise[32] = {};
    CALL(C_SeedRandom, session, noise, CK_ULONG{sizeof noise});
    if (CALL(C_GenerateRandom, session, noise, CK_ULONG{sizeof noise}) == CKR_OK) {
      expect("C_GenerateRandom", std::count(noise, noise + sizeof noise, 0) < 8);
    }
  }

  void messages() {
    if (key == 0) return;
    signed_messages();
    const CK_OBJECT_HANDLE secret = generate(16);
    if (secret != 0) sealed_messages(secret);
  }

  // The signature of `data` under a key pair of the stub vendor.
  bytes signature_of(const bytes& public_value, CK_MECHANISM_TYPE type) const {
    return stub::signature(
        stub::key_mark(public_value.data(), public_value.size()), type, data.data(), data.size());
  }

  // How many token objects that the walk made are there; destroys them.
  int sweep_away_objects() {
    char label[] = "sweep";
    CK_ATTRIBUTE pattern{CKA_LABEL, label, 5};
    CK_OBJECT_HANDLE found[8];
    CK_ULONG count = 0;
    if (p11.C_FindObjectsInit(session, &pattern, 1) != CKR_OK ||
        p11.C_FindObjects(session, found, std::size(found), &count) != CKR_OK ||
        p11.C_FindObjectsFinal(session) != CKR_OK) {
      return -1;
    }
    for (CK_ULONG i = 0; i < count; ++i) {
      if (p11.C_DestroyObject(session, found[i]) != CKR_OK) return -1;
    }
    return static_cast<int>(count);
  }

  bool sign(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE with, bytes& out) {
    CK_MECHANISM mechanism{type, nullptr, 0};
    CK_ULONG length = out.size();
    return CALL(C_SignInit, session, &mechanism, with) == CKR_OK &&
           CALL(C_Sign, session, start(), all(), out.data(), &length) == CKR_OK &&
           length == out.size();
  }

  const CK_FUNCTION_LIST_3_0& p11;
  const known_tokens tokens;

 private:
  template <class Function, class... Arguments>
  CK_RV call(const char* name, Function* function, Arguments... arguments) {
    const auto before = std::chrono::steady_clock::now();
    const CK_RV value = function(arguments...);
    slowest = std::max(slowest, std::chrono::steady_clock::now() - before);
    answers.push_back({name, value});
    return value;
  }

  void expect(const char* what, bool holds) {
    if (!holds) wrong.emplace_back(what);
  }

  CK_BYTE* start() { return data.data(); }
  CK_ULONG all() const { return data.size(); }
  CK_ULONG half() const { return data.size() / 2; }
  CK_ULONG rest() const { return all() - half(); }

  CK_SESSION_HANDLE open(CK_SLOT_ID slot) {
    CK_SESSION_HANDLE opened = 0;
    const CK_RV rv = CALL(C_OpenSession,
                          slot,
                          CK_FLAGS{CKF_SERIAL_SESSION | CKF_RW_SESSION},
                          nullptr,
                          nullptr,
                          &opened);
    return rv == CKR_OK ? opened : 0;
  }

  bool log_in(const char* function, CK_SESSION_HANDLE in, CK_USER_TYPE user, std::string pin) {
    auto* text = reinterpret_cast<CK_UTF8CHAR*>(pin.data());
    const CK_ULONG length = pin.size();
    CK_UTF8CHAR name[] = "user";
    const CK_RV rv = std::strcmp(function, "C_LoginUser") == 0
                         ? CALL(C_LoginUser, in, user, text, length, name, CK_ULONG{4})
                         : CALL(C_Login, in, user, text, length);
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN;
  }

  CK_OBJECT_HANDLE find(CK_OBJECT_CLASS object_class, CK_BYTE id) {
    CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, &id, 1}};
    if (CALL(C_FindObjectsInit, session, pattern, CK_ULONG{2}) != CKR_OK) {
      return 0;
    }
    CK_OBJECT_HANDLE found[2] = {0, 0};
    CK_ULONG count = 0;
    const CK_RV rv = CALL(C_FindObjects, session, found, CK_ULONG{2}, &count);
    CALL(C_FindObjectsFinal, session);
    return rv == CKR_OK && count == 1 ? found[0] : 0;
  }

  CK_OBJECT_HANDLE generate(CK_ULONG length) {
    CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
    CK_BBOOL no = CK_FALSE;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE pattern[] = {{CKA_VALUE_LEN, &length, sizeof length},
                              {CKA_PRIVATE, &no, sizeof no},
                              {CKA_EXTRACTABLE, &yes, sizeof yes}};
    CK_OBJECT_HANDLE made = 0;
    const CK_RV rv =
        CALL(C_GenerateKey, session, &mechanism, pattern, CK_ULONG{std::size(pattern)}, &made);
    return rv == CKR_OK ? made : 0;
  }

  void saved_state(CK_SESSION_HANDLE other) {
    CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
    if (CALL(C_DigestInit, session, &mechanism) != CKR_OK ||
        CALL(C_DigestUpdate, session, start(), half()) != CKR_OK) {
      return;
    }
    bytes state(4096);
    CK_ULONG length = state.size();
    const bool saved = CALL(C_GetOperationState, session, state.data(), &length) == CKR_OK;
    bytes here(32);
    bytes there(32);
    CK_ULONG digest_length = 32;
    const bool first = CALL(C_DigestFinal, session, here.data(), &digest_length) == CKR_OK;
    if (!saved || other == 0) return;
    digest_length = 32;
    if (CALL(C_SetOperationState,
             other,
             state.data(),
             length,
             CK_OBJECT_HANDLE{0},
             CK_OBJECT_HANDLE{0}) == CKR_OK &&
        CALL(C_DigestFinal, other, there.data(), &digest_length) == CKR_OK) {
      expect("C_SetOperationState", !first || here == there);
    }
  }

  void digests() {
    CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
    bytes wanted(32);
    stub::expand(stub::fnv1a(data.data(), data.size(), stub::signature_seed(0, CKM_SHA256)),
                 wanted.data(),
                 wanted.size());
    bytes digest(32);
    CK_ULONG length = 32;
    if (CALL(C_DigestInit, session, &mechanism) == CKR_OK &&
        CALL(C_Digest, session, start(), all(), digest.data(), &length) == CKR_OK) {
      expect("C_Digest", digest == wanted);
    }
    digest.assign(32, 0);
    length = 32;
    if (CALL(C_DigestInit, session, &mechanism) == CKR_OK &&
        CALL(C_DigestUpdate, session, start(), half()) == CKR_OK &&
        CALL(C_DigestUpdate, session, start() + half(), rest()) == CKR_OK &&
        CALL(C_DigestFinal, session, digest.data(), &length) == CKR_OK) {
      expect("C_DigestFinal", digest == wanted);
    }
    const CK_OBJECT_HANDLE secret = generate(16);
    length = 32;
    if (secret != 0 && CALL(C_DigestInit, session, &mechanism) == CKR_OK &&
        CALL(C_DigestKey, session, secret) == CKR_OK) {
      CALL(C_DigestFinal, session, digest.data(), &length);
    }
  }

  void recoverable_signatures() {
    CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
    const CK_OBJECT_HANDLE signer = find(CKO_PRIVATE_KEY, 2);
    const CK_OBJECT_HANDLE verifier = find(CKO_PUBLIC_KEY, 2);
    if (signer == 0 || verifier == 0) return;
    bytes signature(512);
    CK_ULONG length = signature.size();
    if (CALL(C_SignRecoverInit, session, &mechanism, signer) != CKR_OK ||
        CALL(C_SignRecover, session, start(), all(), signature.data(), &length) != CKR_OK) {
      return;
    }
    bytes recovered(512);
    CK_ULONG recovered_length = recovered.size();
    if (CALL(C_VerifyRecoverInit, session, &mechanism, verifier) == CKR_OK &&
        CALL(C_VerifyRecover,
             session,
             signature.data(),
             length,
             recovered.data(),
             &recovered_length) == CKR_OK) {
      recovered.resize(recovered_length);
      expect("C_VerifyRecover", recovered == data);
    }
  }

  // The dual functions: what one pair makes, the other takes apart.
  void two_at_once(CK_OBJECT_HANDLE secret) {
    CK_MECHANISM cipher{CKM_AES_ECB, nullptr, 0};
    CK_MECHANISM hash{CKM_SHA256, nullptr, 0};
    CK_MECHANISM mac{CKM_SHA256_HMAC, nullptr, 0};
    bytes sealed(all());
    bytes results[4] = {bytes(32), bytes(32), bytes(32), {}};
    bytes opened(all());
    CK_ULONG length = all();
    CK_ULONG result_length = 32;
    CK_ULONG none = 0;

    if (CALL(C_DigestInit, session, &hash) != CKR_OK ||
        CALL(C_EncryptInit, session, &cipher, secret) != CKR_OK ||
        CALL(C_DigestEncryptUpdate, session, start(), all(), sealed.data(), &length) != CKR_OK ||
        CALL(C_EncryptFinal, session, opened.data(), &none) != CKR_OK ||
        CALL(C_DigestFinal, session, results[0].data(), &result_length) != CKR_OK) {
      return;
    }
    length = all();
    none = 0;
    result_length = 32;
    if (CALL(C_DigestInit, session, &hash) != CKR_OK ||
        CALL(C_DecryptInit, session, &cipher, secret) != CKR_OK ||
        CALL(C_DecryptDigestUpdate, session, sealed.data(), all(), opened.data(), &length) !=
            CKR_OK ||
        CALL(C_DecryptFinal, session, nullptr, &none) != CKR_OK ||
        CALL(C_DigestFinal, session, results[1].data(), &result_length) != CKR_OK) {
      return;
    }
    expect("C_DecryptDigestUpdate", opened == data && results[0] == results[1]);
    CALL(C_SessionCancel, session, CK_FLAGS{CKF_DECRYPT});

    length = all();
    result_length = 32;
    if (CALL(C_SignInit, session, &mac, secret) != CKR_OK ||
        CALL(C_EncryptInit, session, &cipher, secret) != CKR_OK ||
        CALL(C_SignEncryptUpdate, session, start(), all(), sealed.data(), &length) != CKR_OK ||
        CALL(C_SignFinal, session, results[2].data(), &result_length) != CKR_OK) {
      return;
    }
    CALL(C_SessionCancel, session, CK_FLAGS{CKF_ENCRYPT});
    length = all();
    if (CALL(C_VerifyInit, session, &mac, secret) == CKR_OK &&
        CALL(C_DecryptInit, session, &cipher, secret) == CKR_OK &&
        CALL(C_DecryptVerifyUpdate, session, sealed.data(), all(), opened.data(), &length) ==
            CKR_OK &&
        CALL(C_VerifyFinal, session, results[2].data(), CK_ULONG{32}) == CKR_OK) {
      expect("C_DecryptVerifyUpdate", opened == data);
    }
    CALL(C_SessionCancel, session, CK_FLAGS{CKF_DECRYPT});
  }

  void wrap_and_unwrap(CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE wrapped) {
    CK_MECHANISM mechanism{CKM_AES_ECB, nullptr, 0};
    bytes out(64);
    CK_ULONG length = out.size();
    if (CALL(C_WrapKey, session, &mechanism, wrapping, wrapped, out.data(), &length) != CKR_OK) {
      return;
    }
    expect("C_WrapKey", length == 24);
    CK_OBJECT_HANDLE unwrapped = 0;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE pattern{CKA_PRIVATE, &no, sizeof no};
    if (CALL(C_UnwrapKey,
             session,
             &mechanism,
             wrapping,
             out.data(),
             length,
             &pattern,
             CK_ULONG{1},
             &unwrapped) == CKR_OK) {
      expect("C_UnwrapKey", unwrapped != 0 && unwrapped != wrapped);
    }
  }

  void signed_messages() {
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    const bytes wanted = signature_of(tokens.ec_point, CKM_ECDSA);
    bytes signature(64);
    CK_ULONG length = signature.size();
    if (CALL(C_MessageSignInit, session, &mechanism, key) == CKR_OK) {
      if (CALL(C_SignMessage,
               session,
               nullptr,
               CK_ULONG{0},
               start(),
               all(),
               signature.data(),
               &length) == CKR_OK) {
        expect("C_SignMessage", signature == wanted);
      }
      signature.assign(64, 0);
      length = signature.size();
      if (CALL(C_SignMessageBegin, session, nullptr, CK_ULONG{0}) == CKR_OK &&
          CALL(C_SignMessageNext,
               session,
               nullptr,
               CK_ULONG{0},
               start(),
               all(),
               signature.data(),
               &length) == CKR_OK) {
        expect("C_SignMessageNext", signature == wanted);
      }
      CALL(C_MessageSignFinal, session);
    }
    const CK_OBJECT_HANDLE verifier = find(CKO_PUBLIC_KEY, 1);
    bytes right = wanted;
    if (verifier == 0 || CALL(C_MessageVerifyInit, session, &mechanism, verifier) != CKR_OK) {
      return;
    }
    CALL(
        C_VerifyMessage, session, nullptr, CK_ULONG{0}, start(), all(), right.data(), CK_ULONG{64});
    if (CALL(C_VerifyMessageBegin, session, nullptr, CK_ULONG{0}) == CKR_OK) {
      CALL(C_VerifyMessageNext,
           session,
           nullptr,
           CK_ULONG{0},
           start(),
           all(),
           right.data(),
           CK_ULONG{64});
    }
    CALL(C_MessageVerifyFinal, session);
  }

  void sealed_messages(CK_OBJECT_HANDLE secret) {
    CK_MECHANISM mechanism{CKM_AES_GCM, nullptr, 0};
    bytes sealed(all());
    bytes in_parts(all());
    bytes opened(all());
    CK_ULONG length = all();
    bool encrypted = false;
    if (CALL(C_MessageEncryptInit, session, &mechanism, secret) == CKR_OK) {
      encrypted = CALL(C_EncryptMessage,
                       session,
                       nullptr,
                       CK_ULONG{0},
                       nullptr,
                       CK_ULONG{0},
                       start(),
                       all(),
                       sealed.data(),
                       &length) == CKR_OK;
      length = all();
      if (CALL(C_EncryptMessageBegin, session, nullptr, CK_ULONG{0}, nullptr, CK_ULONG{0}) ==
              CKR_OK &&
          CALL(C_EncryptMessageNext,
               session,
               nullptr,
               CK_ULONG{0},
               start(),
               all(),
               in_parts.data(),
               &length,
               CK_FLAGS{CKF_END_OF_MESSAGE}) == CKR_OK) {
        expect("C_EncryptMessageNext", !encrypted || in_parts == sealed);
      }
      CALL(C_MessageEncryptFinal, session);
    }
    if (!encrypted || CALL(C_MessageDecryptInit, session, &mechanism, secret) != CKR_OK) {
      return;
    }
    length = all();
    if (CALL(C_DecryptMessage,
             session,
             nullptr,
             CK_ULONG{0},
             nullptr,
             CK_ULONG{0},
             sealed.data(),
             all(),
             opened.data(),
             &length) == CKR_OK) {
      expect("C_DecryptMessage", opened == data);
    }
    opened.assign(all(), 0);
    length = all();
    if (CALL(C_DecryptMessageBegin, session, nullptr, CK_ULONG{0}, nullptr, CK_ULONG{0}) ==
            CKR_OK &&
        CALL(C_DecryptMessageNext,
             session,
             nullptr,
             CK_ULONG{0},
             sealed.data(),
             all(),
             opened.data(),
             &length,
             CK_FLAGS{CKF_END_OF_MESSAGE}) == CKR_OK) {
      expect("C_DecryptMessageNext", opened == data);
    }
    CALL(C_MessageDecryptFinal, session);
  }

  bytes data = "what is signed, hashed, sealed.."_b;
};

#undef CALL

}  // namespace hsmtls::test
