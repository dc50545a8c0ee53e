// The CKR sweep of the private face: what the layers above see when a vendor's function answers
// anything that PKCS#11 has a name for, once and for ever. (tests/pkcs11/sweep_test.cpp is that of
// the public face.)
#include <gmock/gmock.h>

#include <cstdio>
#include <set>

#include "tests/pkcs11/private/face.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds deadline{20};
constexpr std::chrono::seconds hanging{5};
constexpr auto pin = "1234";

class PrivateSweep : public private_over_stub {
 public:  // so that a test can name a chapter
  PrivateSweep() : private_over_stub(deadline) {
    vendors_back behind;
    raw = behind.operator->();
    private_key key = open_device();
    right = expected(key, data);
  }

  // What a layer above does, up to the first failure. Returns what it was told.
  using chapter = answer (PrivateSweep::*)();

  answer sign_and_list() {
    std::vector<listed> seen;
    private_key key;
    if (answer got = face.open(device, key, with_pin(pin)); !(got == HSMTLS_P11_OK)) return got;
    bytes signature;
    if (answer got = key.sign(data, &signature); !(got == HSMTLS_P11_OK)) return got;
    EXPECT_EQ(right, signature) << "a wrong success";
    completions pending;
    hsmtls_p11_error error{};
    const int32_t started = face.get()->key_sign_async(key.get(),
                                                       &ecdsa,
                                                       data.data(),
                                                       static_cast<uint32_t>(data.size()),
                                                       0,
                                                       completions::done,
                                                       pending.next(),
                                                       nullptr,
                                                       &error);
    if (started != HSMTLS_P11_OK) return answer_of(started, error);
    EXPECT_TRUE(pending.wait_for(1)) << "no completion";
    const auto done = pending.all()[0];
    if (done.code != HSMTLS_P11_OK) return {done.code, 0, done.message};
    EXPECT_EQ(right, done.signature) << "a wrong success";
    // A URI that speaks of the slot and the library, too.
    return face.list("pkcs11:token=stub-a;slot-manufacturer=hsmtls;library-manufacturer=hsmtls",
                     seen,
                     with_pin(pin));
  }

  answer make_and_remove() {
    private_key key;
    const std::string made = "pkcs11:token=stub-a;object=made-" + std::to_string(++serial);
    if (answer got = face.generate(made, HSMTLS_P11_GENERATE_P256, 0, key, with_pin(pin));
        !(got == HSMTLS_P11_OK)) {
      face.remove(made + ";type=private", with_pin(pin));  // one that was made all the same
      face.remove(made + ";type=public", with_pin(pin));
      return got;
    }
    key.release();
    if (answer got = face.remove(made + ";type=private", with_pin(pin)); !(got == HSMTLS_P11_OK))
      return got;
    return face.remove(made + ";type=public", with_pin(pin));
  }

  answer administer() {
    if (answer got = face.change_pin("pkcs11:token=stub-a", pin, "56789"); !(got == HSMTLS_P11_OK))
      return got;
    if (answer got = face.change_pin("pkcs11:token=stub-a", "56789", pin); !(got == HSMTLS_P11_OK))
      return got;
    return face.initialise("pkcs11:token=stub-b", "stub-b", "so1234", pin);
  }

  void sweep(const std::vector<std::string>& functions, chapter body) {
    ASSERT_EQ((this->*body)(), HSMTLS_P11_OK) << "without any fault";
    std::printf("| %-20s | %14s | %18s | %5s |\n", "healed/told", "once", "for ever", "ms");
    for (const std::string& function : functions) {
      const auto start = clock::now();
      std::string row;
      for (const bool for_ever : {false, true}) {
        int healed = 0;
        int told = 0;
        for (const CK_RV value : return_values()) {
          const std::string rule =
              "fail " + function + (for_ever ? " * " : " 1 ") + pkcs11::rv_name(value);
          (run_case(rule, function, value, for_ever, body) ? healed : told) += 1;
          if (HasFailure()) return;
        }
        row += " | " + std::to_string(healed) + "/" + std::to_string(told);
      }
      const auto took =
          std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start).count();
      std::printf(
          "| %-20s%s | %lld |\n", function.c_str(), row.c_str(), static_cast<long long>(took));
    }
    EXPECT_LT(slowest, hanging);
  }

 private:
  static std::vector<CK_RV> return_values() {
    std::vector<CK_RV> all;
    for (CK_RV value = CKR_OK + 1; value <= 0x400; ++value) {
      if (pkcs11::rv_name(value).starts_with("CKR_")) all.push_back(value);
    }
    all.push_back(CKR_VENDOR_DEFINED);
    return all;
  }

  // Returns whether the layer above saw no error.
  bool run_case(const std::string& rule,
                const std::string& function,
                CK_RV value,
                bool for_ever,
                chapter body) {
    SCOPED_TRACE(rule);
    // A token of its own for each case: a PIN that it refuses is never sent to it again.
    trouble.run("return-token serial=" + std::to_string(++serial));
    trouble.run(rule);
    const auto start = clock::now();
    const answer got = (this->*body)();
    slowest = std::max(slowest, clock::now() - start);
    EXPECT_GE(got.code, HSMTLS_P11_OK);
    EXPECT_LE(got.code, HSMTLS_P11_INTERNAL);
    EXPECT_NE(got.code, HSMTLS_P11_INTERNAL) << got.message;
    EXPECT_EQ(got == HSMTLS_P11_OK, got.message.empty());
    EXPECT_FALSE(for_ever && !may_be_ignored(function, value) && got == HSMTLS_P11_OK)
        << function << " cannot have succeeded";
    trouble.run("clear");
    // The worker that signed lets go of the key a little later than it says so.
    const bool gone = eventually([&] { return sessions_of_vendor() == 0; });
    EXPECT_TRUE(gone || sessions_are_vendors_fault(function, value))
        << sessions_of_vendor() << " sessions left open in the vendor";
    // Whatever the vendor was made to say: the next one who comes finds it as it was.
    raw->C_Finalize(nullptr);
    trouble.run("return-token serial=" + std::to_string(++serial));
    private_key next;
    answer opened;
    const bool works = eventually([&] {  // recoveries are paced: one may come too early
      opened = face.open(device, next, with_pin(pin));
      return opened == HSMTLS_P11_OK;
    });
    EXPECT_TRUE(works) << "the next one who comes: " << opened;
    return got == HSMTLS_P11_OK;
  }

  // Calls whose refusal takes nothing from whoever made them.
  static bool may_be_ignored(const std::string& function, CK_RV value) {
    static const std::set<std::string> courtesy{
        "C_CloseSession", "C_Logout", "C_Finalize", "C_FindObjectsFinal", "C_GetSessionInfo"};
    if (courtesy.contains(function)) return true;
    if (function == "C_Login") return value == CKR_USER_ALREADY_LOGGED_IN;
    if (function == "C_Initialize") return value == CKR_CRYPTOKI_ALREADY_INITIALIZED;
    // An attribute that the object does not have, or does not show.
    return function == "C_GetAttributeValue" &&
           (value == CKR_ATTRIBUTE_TYPE_INVALID || value == CKR_ATTRIBUTE_SENSITIVE);
  }

  static bool sessions_are_vendors_fault(const std::string& function, CK_RV value) {
    return function == "C_CloseSession" || function == "C_Finalize" ||
           value == CKR_CRYPTOKI_NOT_INITIALIZED;
  }

  [[nodiscard]] CK_ULONG sessions_of_vendor() const {
    CK_TOKEN_INFO info{};
    return raw->C_GetTokenInfo(0, &info) == CKR_OK ? info.ulSessionCount : 0;
  }

  CK_FUNCTION_LIST* raw = nullptr;
  const bytes data = bytes(32, 0x5a);
  bytes right;
  int serial = 0;
  clock::duration slowest{0};
};

TEST_F(PrivateSweep, OfOpeningSigningAndListing) {
  sweep({"C_Initialize",
         "C_Finalize",
         "C_GetInfo",
         "C_GetSlotList",
         "C_GetSlotInfo",
         "C_GetTokenInfo",
         "C_OpenSession",
         "C_CloseSession",
         "C_GetSessionInfo"},
        &PrivateSweep::sign_and_list);
}

TEST_F(PrivateSweep, OfLoginsSearchesAndSignatures) {
  sweep({"C_Login",
         "C_Logout",
         "C_FindObjectsInit",
         "C_FindObjects",
         "C_FindObjectsFinal",
         "C_GetAttributeValue",
         "C_SignInit",
         "C_Sign"},
        &PrivateSweep::sign_and_list);
}

TEST_F(PrivateSweep, OfMakingAndRemovingKeys) {
  sweep({"C_GenerateKeyPair", "C_DestroyObject"}, &PrivateSweep::make_and_remove);
}

TEST_F(PrivateSweep, OfAdministration) {
  sweep({"C_SetPIN", "C_InitToken", "C_InitPIN"}, &PrivateSweep::administer);
}

}  // namespace
}  // namespace hsmtls::test
