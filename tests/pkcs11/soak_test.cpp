// A thousand resets under eight threads, over the stub vendor: each signature is compared.
#include "tests/pkcs11/soak.hpp"

namespace hsmtls::test {
namespace {

class Soak : public over_stub {
 protected:
  static constexpr int threads = 8;

  Soak() : over_stub(std::chrono::seconds(30)), app(front), session(app.open(app.slot("stub-a"))) {
    EXPECT_RV(CKR_OK, app.login(session, "1234"));
    // Handle numbers start again after each reset: two keys show any mix-up.
    keys[0] = app.private_key(session, {0x01});
    keys[1] = app.private_key(session, {0x03});
    for (int i = 0; i < 2; ++i)
      EXPECT_RV(CKR_OK, app.sign(session, keys[i], data, &wanted[i], mechanism_of(i)));
    EXPECT_EQ(expected_signature(app, session, {0x01}, data), wanted[0]);
    EXPECT_NE(wanted[0], wanted[1]);
    for (auto& one : sessions) one = app.open(app.slot("stub-a"));
  }

  static CK_MECHANISM_TYPE mechanism_of(int t) { return t % 2 == 0 ? CKM_ECDSA : CKM_EDDSA; }

  signers::one_signature sign() {
    return [this](int t) {
      bytes signature;
      const CK_RV rv = app.sign(sessions[t], keys[t % 2], data, &signature, mechanism_of(t));
      if (rv == CKR_OK && signature != wanted[t % 2]) ++wrong;
      return rv;
    };
  }

  // How many sessions the vendor has open on its token in slot 0.
  CK_ULONG sessions_of_vendor() {
    const module_under_test vendor(HSMTLS_TEST_CHAOS);
    CK_TOKEN_INFO info{};
    EXPECT_RV(CKR_OK, vendor->C_GetTokenInfo(0, &info));
    return info.ulSessionCount;
  }

  const bytes data = "what is signed"_b;
  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE keys[2]{};
  CK_SESSION_HANDLE sessions[threads]{};
  bytes wanted[2];
  std::atomic<int> wrong = 0;
};

TEST_F(Soak, NoSignatureFailsOrIsWrongInAThousandResetsUnderEightThreads) {
  signers workers(threads, sign());
  reset_many_times(trouble,
                   log,
                   workers,
                   1000 / soak_divisor,
                   "stub vendor, 8 threads, new session and login",
                   [&](int number) { reset_somewhere(trouble, number); });
  EXPECT_EQ(0, wrong);
}

// Resets that come faster than any recovery: nothing can be signed until they end, and then all who
// waited sign.
TEST_F(Soak, NoSignatureFailsOrIsWrongAfterHailsOfResetsUnderEightThreads) {
  signers workers(threads, sign());
  for (int hail = 0; hail < 20 / soak_divisor; ++hail) {
    for (int i = 0; i < 500; ++i) trouble.run("drop-sessions");
    workers.wait_for_each();
  }
  workers.finish();
  EXPECT_EQ(0, workers.failed()) << workers.failures();
  EXPECT_EQ(0, wrong);
}

TEST_F(Soak, NoSignatureFailsWhenTheModuleHasToBeRestartedAHundredTimesUnderEightThreads) {
  signers workers(threads, sign());
  const auto initialised = trouble.count("C_Initialize");
  const int resets = 100 / soak_divisor;
  reset_many_times(trouble,
                   log,
                   workers,
                   resets,
                   "stub vendor, 8 threads, C_Finalize and C_Initialize",
                   [&](int) { trouble.run("remove-token; return-token needs-reinit"); });
  EXPECT_EQ(0, wrong);
  EXPECT_LT(initialised, trouble.count("C_Initialize"));
}

TEST_F(Soak, EightThreadsShareOneTwoOrThreeSessions) {
  for (const char* limit : {"3", "2", "1"}) {
    trouble.run(std::string("drop-sessions; limit-sessions ") + limit);
    {
      signers workers(threads, sign());
      for (int i = 0; i < 40 / soak_divisor; ++i) {
        workers.wait_for_each();
        EXPECT_GE(std::stoul(limit), sessions_of_vendor());
        trouble.run("drop-sessions");
      }
      workers.wait_for_each();
      workers.finish();
      EXPECT_EQ(0, workers.failed()) << limit << " sessions: " << workers.failures();
    }
    EXPECT_EQ(0, wrong);
  }
  trouble.run("limit-sessions off");
  ASSERT_RV(CKR_OK, app.p11.C_CloseAllSessions(app.slot("stub-a")));
  EXPECT_EQ(0U, sessions_of_vendor()) << "sessions that nobody uses were kept";
}

}  // namespace
}  // namespace hsmtls::test
