// Signatures on the caller's thread, over the stub vendor: what they cost and what they survive.
#include <gmock/gmock.h>

#include "tests/pkcs11/private/face.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class PrivateSign : public private_over_stub {
 protected:
  explicit PrivateSign(milliseconds deadline = std::chrono::seconds(10))
      : private_over_stub(deadline) {}
  const bytes data = bytes(32, 0x5a);
};

class PrivateSignInTime : public PrivateSign {
 protected:
  PrivateSignInTime() : PrivateSign(milliseconds(300)) {}
};

TEST_F(PrivateSign, CostsTwoCalls) {
  private_key key = open_device();
  expect_right_signature(key);
  const auto before = trouble.total();
  expect_right_signature(key);
  EXPECT_EQ(before + 2, trouble.total()) << "C_SignInit and C_Sign";
}

TEST_F(PrivateSign, CostsThreeCallsForAKeyThatWantsALoginEachTime) {
  trouble.run("always-authenticate pin=1234");
  private_key key = open_device();
  EXPECT_NE(0U, key.info().flags & HSMTLS_P11_ALWAYS_AUTHENTICATE);
  expect_right_signature(key);
  const auto before = trouble.total();
  expect_right_signature(key);
  EXPECT_EQ(before + 3, trouble.total()) << "C_SignInit, C_Login and C_Sign";
}

TEST_F(PrivateSign, SurvivesAResetOfAKeyThatWantsALoginEachTime) {
  trouble.run("always-authenticate pin=1234");
  private_key key = open_device();
  trouble.run("drop-sessions");
  expect_right_signature(key);
  trouble.run("drop-sessions-at C_Sign 1");
  expect_right_signature(key);
}

TEST_F(PrivateSign, WorksWithEachKindOfKey) {
  const hsmtls_p11_signature_spec pkcs1{HSMTLS_P11_SIGN_RSA_PKCS1, 0, 0};
  const hsmtls_p11_signature_spec pss{HSMTLS_P11_SIGN_RSA_PSS, 256, 32};
  const hsmtls_p11_signature_spec eddsa{HSMTLS_P11_SIGN_EDDSA, 0, 0};
  private_key rsa;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=rsa", rsa, with_pin("1234")), HSMTLS_P11_OK);
  bytes signature;
  EXPECT_EQ(rsa.sign(data, &signature, pkcs1), HSMTLS_P11_OK);
  EXPECT_EQ(256U, signature.size());
  EXPECT_EQ(rsa.sign(data, &signature, pss), HSMTLS_P11_OK);
  private_key edwards;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=edwards", edwards, with_pin("1234")),
            HSMTLS_P11_OK);
  EXPECT_EQ(edwards.sign(data, &signature, eddsa), HSMTLS_P11_OK);
}

TEST_F(PrivateSign, RefusesASpecThatMeansNothing) {
  private_key key = open_device();
  EXPECT_EQ(key.sign(data, nullptr, {0, 0, 0}), HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_EQ(key.sign(data, nullptr, {99, 0, 0}), HSMTLS_P11_BAD_ARGUMENT);
  const answer got = key.sign(data, nullptr, {HSMTLS_P11_SIGN_RSA_PSS, 255, 32});
  EXPECT_EQ(got, HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_THAT(got.message, HasSubstr("hash_bits"));
}

TEST_F(PrivateSign, RefusesAMechanismOfAnotherKindOfKey) {
  private_key key = open_device();
  const auto lost = key.counters().lost;
  const answer got = key.sign(data, nullptr, {HSMTLS_P11_SIGN_RSA_PKCS1, 0, 0});
  EXPECT_EQ(got, HSMTLS_P11_UNSUPPORTED);
  EXPECT_EQ(uint64_t{CKR_KEY_TYPE_INCONSISTENT}, got.ckr);
  expect_right_signature(key);
  EXPECT_EQ(lost, key.counters().lost);
}

TEST_F(PrivateSign, SaysThatThePlaceForTheSignatureIsTooSmall) {
  private_key key = open_device();
  uint8_t place[10] = {};
  uint32_t length = sizeof place;
  hsmtls_p11_error error{};
  const int32_t code =
      face->key_sign(key.get(), &ecdsa, data.data(), 32, place, &length, 0, &error);
  const answer got = answer_of(code, error);
  EXPECT_EQ(got, HSMTLS_P11_BAD_ARGUMENT);
  EXPECT_THAT(got.message, HasSubstr("64"));
  EXPECT_EQ(10U, length) << "written on success only";
  expect_right_signature(key);
  EXPECT_EQ(0U, key.counters().lost) << "a mistake of the caller is no loss";
}

TEST_F(PrivateSign, SurvivesAResetAtEveryStep) {
  private_key key = open_device();
  for (const std::string step : {"C_SignInit",
                                 "C_Sign",
                                 "C_OpenSession",
                                 "C_Login",
                                 "C_FindObjectsInit",
                                 "C_FindObjects",
                                 "C_GetAttributeValue",
                                 "C_GetTokenInfo"}) {
    trouble.run("drop-sessions; drop-sessions-at " + step + " 1");
    expect_right_signature(key);
    trouble.run("clear");
  }
}

TEST_F(PrivateSign, SurvivesResetsWhileManyThreadsSign) {
  private_key key = open_device();
  const bytes wanted = expected(key, data);
  std::atomic<bool> stop{false};
  std::atomic<int> signed_{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        bytes signature;
        ASSERT_EQ(key.sign(data, &signature), HSMTLS_P11_OK);
        ASSERT_EQ(wanted, signature);
        ++signed_;
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    const int before = signed_;
    trouble.run("drop-sessions");
    EXPECT_TRUE(eventually([&] { return signed_ > before; })) << "nobody signs any more";
  }
  stop = true;
  for (auto& one : threads) one.join();
  EXPECT_LT(0U, key.counters().restored);
}

TEST_F(PrivateSign, RefusesAKeyThatWasReplaced) {
  private_key key = open_device();
  expect_right_signature(key);
  trouble.run("replace-key 01 pin=1234 slot=0; drop-sessions");
  const answer got = key.sign(data);
  EXPECT_EQ(got, HSMTLS_P11_KEY_REPLACED);
  EXPECT_THAT(got.message, HasSubstr("device"));
  EXPECT_THAT(got.message, HasSubstr("another key"));
}

TEST_F(PrivateSign, RefusesATokenThatWasReplacedBeforeAnyPinIsSent) {
  private_key key = open_device();
  expect_right_signature(key);
  const auto logins = trouble.count("C_Login");
  trouble.run("remove-token slot=0; return-token slot=0 serial=9999");
  const answer got = key.sign(data);
  EXPECT_EQ(got, HSMTLS_P11_TOKEN_REPLACED);
  EXPECT_THAT(got.message, HasSubstr("stub-a"));
  EXPECT_EQ(logins, trouble.count("C_Login"));
}

TEST_F(PrivateSignInTime, SaysThatTheTokenIsLostAtTheDeadlineAndSignsWhenItIsBack) {
  private_key key = open_device();
  expect_right_signature(key);
  trouble.run("remove-token slot=0");
  const auto start = steady_clock::now();
  const answer got = key.sign(data);
  const auto took = steady_clock::now() - start;
  EXPECT_EQ(got, HSMTLS_P11_TOKEN_LOST);
  EXPECT_THAT(got.message, HasSubstr("deadline"));
  EXPECT_LE(milliseconds(200), took);
  EXPECT_GT(milliseconds(8000), took);
  trouble.run("return-token slot=0");
  expect_right_signature(key);
}

TEST_F(PrivateSign, ObeysAShorterDeadlineOfTheCall) {
  private_key key = open_device();
  trouble.run("remove-token slot=0");
  const auto start = steady_clock::now();
  EXPECT_EQ(key.sign(data, nullptr, ecdsa, 50), HSMTLS_P11_TOKEN_LOST);
  EXPECT_GT(milliseconds(8'000), steady_clock::now() - start) << "the default is 10 seconds";
}

TEST_F(PrivateSignInTime, ObeysALongerDeadlineOfTheCall) {
  private_key key = open_device();
  trouble.run("remove-token slot=0");
  const auto start = steady_clock::now();
  std::thread later([&] {
    // The default has passed, and the call still tries.
    EXPECT_TRUE(eventually([&] { return steady_clock::now() - start > milliseconds(600); }));
    const size_t tried = log.count("still-lost");
    EXPECT_TRUE(eventually([&] { return log.count("still-lost") > tried; })) << "it gave up";
    trouble.run("return-token slot=0");
  });
  EXPECT_EQ(key.sign(data, nullptr, ecdsa, 60'000), HSMTLS_P11_OK);
  later.join();
}

TEST_F(PrivateSignInTime, SaysThatTheKeyIsGone) {
  private_key key = open_device();
  private_key other;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=rsa", other, with_pin("1234")), HSMTLS_P11_OK);
  ASSERT_EQ(face.remove("pkcs11:token=stub-a;object=device;type=private", with_pin("1234")),
            HSMTLS_P11_OK);
  const answer got = key.sign(data);
  EXPECT_TRUE(got == HSMTLS_P11_OBJECT_NOT_FOUND || got == HSMTLS_P11_TOKEN_LOST) << got;
}

TEST_F(PrivateSign, TellsItsSubscriberWhatHappened) {
  events seen;
  private_key key = open_device();
  key.subscribe(seen);
  expect_right_signature(key);
  ASSERT_EQ(1U, seen.of(HSMTLS_P11_EVENT_SIGNED).size());
  trouble.run("delay C_Sign 50ms");
  expect_right_signature(key);
  const auto slow = seen.of(HSMTLS_P11_EVENT_SIGNED).at(1);
  EXPECT_EQ(uint32_t{HSMTLS_P11_SIGN_ECDSA}, slow.mechanism);
  EXPECT_LE(50'000U, slow.microseconds);
  EXPECT_GT(5'000'000U, slow.microseconds);
  trouble.run("clear; drop-sessions; delay C_OpenSession 20ms");
  expect_right_signature(key);
  ASSERT_TRUE(seen.wait_for(HSMTLS_P11_EVENT_LOST, 1));
  ASSERT_TRUE(seen.wait_for(HSMTLS_P11_EVENT_RESTORED, 1));
  EXPECT_LE(20'000U, seen.of(HSMTLS_P11_EVENT_RESTORED)[0].microseconds);
  EXPECT_GT(5'000'000U, seen.of(HSMTLS_P11_EVENT_RESTORED)[0].microseconds);
  trouble.run("clear");
  face->key_subscribe(key.get(), nullptr, nullptr);
  expect_right_signature(key);
  EXPECT_EQ(3U, seen.of(HSMTLS_P11_EVENT_SIGNED).size()) << "unsubscribed";
}

TEST_F(PrivateSign, TellsOnlyItsOwnSignaturesButEverybodysLosses) {
  events first_seen;
  events second_seen;
  private_key first = open_device();
  private_key second;
  ASSERT_EQ(face.open("pkcs11:token=stub-a;object=device", second, with_pin("1234")),
            HSMTLS_P11_OK);
  first.subscribe(first_seen);
  second.subscribe(second_seen);
  expect_right_signature(first);
  EXPECT_EQ(1U, first_seen.of(HSMTLS_P11_EVENT_SIGNED).size());
  EXPECT_EQ(0U, second_seen.of(HSMTLS_P11_EVENT_SIGNED).size());
  trouble.run("drop-sessions");
  expect_right_signature(first);
  EXPECT_TRUE(first_seen.wait_for(HSMTLS_P11_EVENT_LOST, 1));
  EXPECT_TRUE(second_seen.wait_for(HSMTLS_P11_EVENT_LOST, 1));
}

TEST_F(PrivateSign, IsCounted) {
  private_key key = open_device();
  const auto before = key.counters();
  expect_right_signature(key);
  expect_right_signature(key);
  EXPECT_FALSE(key.sign(data, nullptr, {HSMTLS_P11_SIGN_RSA_PKCS1, 0, 0}) == HSMTLS_P11_OK);
  trouble.run("drop-sessions");
  expect_right_signature(key);
  const auto after = key.counters();
  EXPECT_EQ(before.signatures + 3, after.signatures);
  EXPECT_EQ(before.failed_signatures + 1, after.failed_signatures);
  EXPECT_EQ(before.lost + 1, after.lost);
  EXPECT_EQ(before.restored + 1, after.restored);
  EXPECT_LE(before.rebuild_attempts + 1, after.rebuild_attempts);
  EXPECT_LE(1U, after.open_sessions);
}

TEST_F(PrivateSign, GoesOnWhileAnyReferenceIsLeft) {
  private_key key = open_device();
  face->key_retain(key.get());
  face->key_release(key.get());
  expect_right_signature(key);
}

TEST_F(PrivateSign, EndsWithItsLastReference) {
  {
    private_key key = open_device();
    expect_right_signature(key);
  }
  EXPECT_EQ(trouble.count("C_OpenSession"), trouble.count("C_CloseSession"));
  EXPECT_EQ(1U, trouble.count("C_Logout"));
  EXPECT_EQ(trouble.count("C_Initialize"), trouble.count("C_Finalize"));
}

}  // namespace
}  // namespace hsmtls::test
