// Several PKCS#11 users in one process: libp11's engine, pkcs11-provider and AWS's CRT, say. None
// knows of the others, each initialises and finalises.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/pkcs11/fixture.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

class Initialise : public over_stub {
 protected:
  using over_stub::over_stub;

  CK_RV sign_with(const client& app) {
    const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
    app.login(session, "1234");
    return app.sign(session, app.private_key(session, {0x01}), "data"_b);
  }
};

class InitialiseImpatiently : public Initialise {
 protected:
  InitialiseImpatiently() : Initialise(std::chrono::milliseconds(300)) {}
};

TEST_F(Initialise, AnswersOkToEachOfThreeUsersAndTheVendorSeesOne) {
  auto first = std::make_unique<client>(front);
  auto second = std::make_unique<client>(front);
  auto third = std::make_unique<client>(front);
  EXPECT_EQ(1U, trouble.count("C_Initialize"));

  const CK_SESSION_HANDLE session = third->open(third->slot("stub-a"));
  ASSERT_RV(CKR_OK, third->login(session, "1234"));
  const CK_OBJECT_HANDLE key = third->private_key(session, {0x01});
  first.reset();
  EXPECT_RV(CKR_OK, third->sign(session, key, "data"_b))
      << "the first user's C_Finalize stopped the third";
  second.reset();
  EXPECT_RV(CKR_OK, third->sign(session, key, "data"_b));
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
  third.reset();
  EXPECT_EQ(1U, trouble.count("C_Finalize"));
  EXPECT_EQ(1U, trouble.count("C_Initialize"));
}

TEST_F(Initialise, CountsUsersOfEightThreads) {
  std::vector<std::thread> users;
  for (int i = 0; i < 8; ++i) {
    users.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const client app(front);
        EXPECT_FALSE(app.slots().empty());
      }
    });
  }
  for (auto& one : users) one.join();
  EXPECT_EQ(trouble.count("C_Initialize"), trouble.count("C_Finalize"));
  EXPECT_EQ(0U, trouble.count("C_Initialize CKR_CRYPTOKI_ALREADY_INITIALIZED"));
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_Finalize(nullptr));
}

TEST_F(Initialise, CanBeDoneAgainAfterTheLastUserLeft) {
  for (int i = 1; i <= 3; ++i) {
    const client app(front);
    EXPECT_RV(CKR_OK, sign_with(app));
  }
  EXPECT_EQ(3U, trouble.count("C_Initialize"));
  EXPECT_EQ(3U, trouble.count("C_Finalize"));
}

TEST_F(Initialise, WantsAllFourMutexFunctionsOrNone) {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.CreateMutex = [](CK_VOID_PTR_PTR) -> CK_RV { return CKR_OK; };
  EXPECT_RV(CKR_ARGUMENTS_BAD, front->C_Initialize(&arguments));
  arguments.DestroyMutex = arguments.LockMutex =
      arguments.UnlockMutex = [](CK_VOID_PTR) -> CK_RV { return CKR_OK; };
  EXPECT_RV(CKR_OK, front->C_Initialize(&arguments));
  EXPECT_RV(CKR_OK, front->C_Finalize(nullptr));
}

TEST_F(Initialise, RefusesWhatPkcs11Refuses) {
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, front->C_Finalize(nullptr));
  const client app(front);
  int something = 0;
  EXPECT_RV(CKR_ARGUMENTS_BAD, front->C_Finalize(&something));
  EXPECT_RV(CKR_OK, sign_with(app));
}

TEST_F(Initialise, HandsPReservedOfTheFirstUserToTheVendor) {
  const module_under_test stub(HSMTLS_TEST_STUB_VENDOR);
  const auto last_reserved = stub.symbol<const void* (*)()>("hsmtls_stub_reserved");
  int first = 0;
  int second = 0;
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  arguments.LibraryParameters = reinterpret_cast<CK_CHAR_PTR*>(&first);
  ASSERT_RV(CKR_OK, front->C_Initialize(&arguments));
  arguments.LibraryParameters = reinterpret_cast<CK_CHAR_PTR*>(&second);
  ASSERT_RV(CKR_OK, front->C_Initialize(&arguments));
  EXPECT_EQ(&first, last_reserved());
  EXPECT_RV(CKR_OK, front->C_Finalize(nullptr));
  EXPECT_RV(CKR_OK, front->C_Finalize(nullptr));
}

TEST_F(Initialise, NeverFinalisesAModuleThatSomebodyElseInitialised) {
  const module_under_test direct(HSMTLS_TEST_CHAOS);
  ASSERT_RV(CKR_OK, direct->C_Initialize(nullptr));
  {
    const client app(front);
    EXPECT_RV(CKR_OK, sign_with(app));
  }
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
  CK_INFO info{};
  EXPECT_RV(CKR_OK, direct->C_GetInfo(&info));
  EXPECT_RV(CKR_OK, direct->C_Finalize(nullptr));
}

TEST_F(InitialiseImpatiently, NeverRestartsAModuleThatSomebodyElseInitialised) {
  const module_under_test direct(HSMTLS_TEST_CHAOS);
  ASSERT_RV(CKR_OK, direct->C_Initialize(nullptr));
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
  ASSERT_RV(CKR_OK, app.login(session, "1234"));
  const CK_OBJECT_HANDLE key = app.private_key(session, {0x01});
  trouble.run("remove-token; return-token needs-reinit");
  EXPECT_RV(CKR_DEVICE_REMOVED, app.sign(session, key, "data"_b));
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
}

TEST_F(Initialise, RecoversWhenWhoeverInitialisedTheModuleFinalisesIt) {
  const module_under_test direct(HSMTLS_TEST_CHAOS);
  ASSERT_RV(CKR_OK, direct->C_Initialize(nullptr));
  {
    const client app(front);
    const CK_SESSION_HANDLE session = app.open(app.slot("stub-a"));
    const CK_SESSION_HANDLE other = app.open(app.slot("stub-b"));
    ASSERT_RV(CKR_OK, app.login(session, "1234"));
    ASSERT_RV(CKR_OK, app.login(other, "1234"));
    const CK_OBJECT_HANDLE key = app.private_key(session, {0x01});
    const CK_OBJECT_HANDLE other_key = app.private_key(other, {0x01});
    for (int i = 0; i < 3; ++i) {
      ASSERT_RV(CKR_OK, direct->C_Finalize(nullptr));
      EXPECT_RV(CKR_OK, app.sign(session, key, "data"_b));
      EXPECT_RV(CKR_OK, app.sign(other, other_key, "data"_b));
    }
    EXPECT_EQ(3U, trouble.count("C_Finalize"));
    EXPECT_EQ(0U, trouble.count("C_Initialize CKR_CRYPTOKI_ALREADY_INITIALIZED") - 1)
        << "ours, on the first";
  }
  // It is ours since we initialised it last.
  EXPECT_EQ(4U, trouble.count("C_Finalize"));
}

TEST_F(Initialise, TellsThreadsThatStillSignAtOnceThatItWasFinalised) {
  auto app = std::make_unique<client>(front);
  const CK_SESSION_HANDLE session = app->open(app->slot("stub-a"));
  ASSERT_RV(CKR_OK, app->login(session, "1234"));
  const CK_OBJECT_HANDLE key = app->private_key(session, {0x01});
  std::atomic<int> signatures = 0;
  std::atomic<CK_RV> last = CKR_OK;
  std::thread signer([&] {
    for (CK_RV rv = CKR_OK; rv == CKR_OK; ++signatures)
      last = rv = app->sign(session, key, "data"_b);
  });
  EXPECT_TRUE(eventually([&] { return signatures >= 10 || last != CKR_OK; })) << "no signature";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_RV(CKR_OK, front->C_Finalize(nullptr));
  signer.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5))
      << "it waited for its deadline";
  const CK_RV honest[] = {CKR_CRYPTOKI_NOT_INITIALIZED,
                          CKR_SESSION_HANDLE_INVALID,
                          CKR_OPERATION_NOT_INITIALIZED,
                          CKR_USER_NOT_LOGGED_IN};
  EXPECT_THAT(honest, testing::Contains(last.load())) << pkcs11::rv_name(last);
  EXPECT_RV(CKR_OK, front->C_Initialize(nullptr));  // for the client's destructor
}

TEST_F(Initialise, AnswersOkToEachOfThreadsThatComeAndGo) {
  std::vector<std::thread> users;
  std::atomic<int> failed = 0;
  for (int t = 0; t < 3; ++t) {
    users.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (front->C_Initialize(nullptr) != CKR_OK) {
          ++failed;
          continue;
        }
        failed += front->C_Finalize(nullptr) == CKR_OK ? 0 : 1;
      }
    });
  }
  for (auto& one : users) one.join();
  EXPECT_EQ(0, failed);
}

}  // namespace
}  // namespace hsmtls::test
