// Two tokens of one vendor module: what brings one back must not end the other one's sessions.
#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {
namespace {

class TwoTokensOfSoftHsm : public testing::Test {
 protected:
  TwoTokensOfSoftHsm()
      : folder(token.add_token("second")),
        front(load_front(chaos::in_front_of(softhsm_module()), std::chrono::milliseconds(1500))) {
    token.generate_ec_p256("device", "01");
  }

  void pull_out_the_second() const { std::filesystem::rename(folder, pulled_out()); }
  void put_it_back() const { std::filesystem::rename(pulled_out(), folder); }

  log_file log;
  softhsm_token token;
  const std::filesystem::path folder;  // of the second token
  module_under_test front;
  chaos trouble;

 private:
  [[nodiscard]] std::filesystem::path pulled_out() const { return token.folder() / "pulled-out"; }
};

TEST_F(TwoTokensOfSoftHsm, TheModuleIsNotRestartedForOneThatIsAwayWhileTheOtherWorks) {
  const client app(front);
  const CK_SESSION_HANDLE works = app.open(app.slot(token.label()));
  ASSERT_RV(CKR_OK, app.login(works, token.user_pin()));
  const CK_OBJECT_HANDLE key = app.private_key(works, {1});
  const CK_SESSION_HANDLE away = app.open(app.slot("second"));
  ASSERT_RV(CKR_OK, app.login(away, token.user_pin()));
  CK_MECHANISM sha256{CKM_SHA256, nullptr, 0};
  bytes part = "part"_b;
  ASSERT_RV(CKR_OK, app.p11.C_DigestInit(works, &sha256));
  ASSERT_RV(CKR_OK, app.p11.C_DigestUpdate(works, part.data(), part.size()));

  pull_out_the_second();
  trouble.run("drop-sessions");  // both recover; the one that is away cannot
  ASSERT_RV(CKR_OPERATION_NOT_INITIALIZED, app.p11.C_DigestUpdate(works, part.data(), part.size()));
  ASSERT_RV(CKR_OK, app.sign(works, key, bytes(32, 1)));
  ASSERT_RV(CKR_OK, app.p11.C_DigestInit(works, &sha256));
  for (int i = 0; i < 3; ++i) {
    EXPECT_RV(CKR_DEVICE_REMOVED, app.p11.C_FindObjectsInit(away, nullptr, 0));
  }
  EXPECT_EQ(0U, trouble.count("C_Finalize"));
  EXPECT_RV(CKR_OK, app.p11.C_DigestUpdate(works, part.data(), part.size()));

  // Nobody else is in the way any more: it comes back.
  put_it_back();
  ASSERT_RV(CKR_OK, app.p11.C_CloseAllSessions(app.slot(token.label())));
  EXPECT_RV(CKR_OK, app.p11.C_FindObjectsInit(away, nullptr, 0));
}

}  // namespace
}  // namespace hsmtls::test
