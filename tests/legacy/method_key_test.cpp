// Method keys: what they sign, what they survive, and how they end.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/legacy/fixture.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class MethodKey : public over_three_keys {
 protected:
  using over_three_keys::over_three_keys;
};

TEST_F(MethodKey, SignsWithEcAndRsaInATokenThatHoldsAnEd25519Key) {
  const method_key with_ec = legacy.of(ec);
  const method_key with_rsa = legacy.of(rsa);
  EXPECT_TRUE(with_ec.signs());
  EXPECT_TRUE(with_rsa.signs());
  EXPECT_TRUE(with_rsa.signs(true)) << "PSS";
  EXPECT_EQ(EVP_PKEY_EC, EVP_PKEY_get_base_id(with_ec.get()));
  EXPECT_EQ(EVP_PKEY_RSA, EVP_PKEY_get_base_id(with_rsa.get()));
  if (!has_edwards) GTEST_SKIP() << "this SoftHSM makes no Ed25519 key";
}

TEST_F(MethodKey, OfAnEd25519KeyIsRefusedByName) {
  if (!has_edwards) GTEST_SKIP() << "this SoftHSM makes no Ed25519 key";
  const private_key edwards = open("edwards");
  method_key out;
  const answer got = legacy.make(edwards, out);
  EXPECT_EQ(got, HSMTLS_P11_UNSUPPORTED);
  EXPECT_THAT(got.message, AllOf(HasSubstr("'edwards'"), HasSubstr("provider key")));
}

TEST_F(MethodKey, CostsNoLoginOfItsOwn) {
  const auto before = trouble.count("C_Login");
  const method_key with_ec = legacy.of(ec);
  EXPECT_TRUE(with_ec.signs());
  EXPECT_EQ(before, trouble.count("C_Login"));
}

TEST_F(MethodKey, SignsAgainAfterEveryReset) {
  const method_key with_ec = legacy.of(ec);
  const method_key with_rsa = legacy.of(rsa);
  for (const auto* reset : {"drop-sessions",
                            "fail C_SignInit 1 CKR_DEVICE_REMOVED",
                            "fail C_Sign 1 CKR_DEVICE_ERROR"}) {
    trouble.run(reset);
    EXPECT_TRUE(with_ec.signs()) << reset;
    trouble.run(reset);
    EXPECT_TRUE(with_rsa.signs()) << reset;
  }
}

TEST_F(MethodKey, SignsInEightThreadsThroughResets) {
  const method_key with_ec = legacy.of(ec);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 25; ++round) good += with_ec.signs() ? 1 : 0;
    });
  }
  for (int i = 0; i < 10; ++i) {
    trouble.run("drop-sessions");
    EXPECT_TRUE(with_ec.signs());
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(200, good);
}

TEST_F(MethodKey, IsMadeThroughAResetInTheMiddle) {
  for (const auto* where : {"drop-sessions-at C_FindObjects 1",
                            "drop-sessions-at C_FindObjects 2",
                            "drop-sessions-at C_FindObjectsInit 1",
                            "drop-sessions-at C_GetAttributeValue 1",
                            "drop-sessions-at C_GetAttributeValue 5",
                            "drop-sessions-at C_GetTokenInfo 1"}) {
    trouble.run(where);
    EXPECT_TRUE(legacy.of(ec).signs()) << where;
  }
}

TEST_F(MethodKey, IsMadeByEightThreadsAtOnce) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round)
        good += legacy.of(i % 2 == 0 ? ec : rsa).signs() ? 1 : 0;
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(40, good);
}

class MethodKeyImpatiently : public MethodKey {
 protected:
  MethodKeyImpatiently() : MethodKey(std::chrono::milliseconds(300)) {}
};

TEST_F(MethodKeyImpatiently, FailsWithinTheDeadlineWhileTheTokenIsAwayAndSignsWhenItIsBack) {
  const method_key with_ec = legacy.of(ec);
  token.move_away();
  // More at once than libp11 has sessions open: it would wait for ever for one that it cannot have.
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { failed += with_ec.signs() ? 0 : 1; });
  for (auto& one : threads) one.join();
  EXPECT_EQ(4, failed);
  token.move_back();
  EXPECT_TRUE(with_ec.signs());
}

TEST_F(MethodKey, SignsAfterItsKeyWasClosedAndNotAfterItsOwnRelease) {
  method_key with_ec = legacy.of(ec);
  ec.release();
  EXPECT_TRUE(with_ec.signs());
  with_ec.release();
  EXPECT_FALSE(with_ec.signs());
  EXPECT_FALSE(with_ec.signs()) << "and nothing hangs";
  legacy->key_release(nullptr);
}

TEST_F(MethodKey, LetsGoOfTheLoginAndTheSessionsWithItsRelease) {
  method_key with_ec = legacy.of(ec);
  EXPECT_TRUE(with_ec.signs());
  ec.release();
  rsa.release();
  const auto before = trouble.count("C_Logout");
  with_ec.release();
  EXPECT_EQ(before + 1, trouble.count("C_Logout"));
}

TEST_F(MethodKey, ThatIsFreedFirstIsNoTrouble) {
  method_key with_ec = legacy.of(ec);
  with_ec.key.reset();
  with_ec.release();
  EXPECT_TRUE(legacy.of(ec).signs());
}

TEST_F(MethodKey, CanBeMadeAgainAndAgain) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(legacy.of(i % 2 == 0 ? ec : rsa).signs()) << i;
}

TEST_F(MethodKey, SignsInForkedChildrenAndInTheParent) {
  const method_key with_ec = legacy.of(ec);
  EXPECT_TRUE(with_ec.signs());
  for (int i = 0; i < 3; ++i) {
    child forked([&] {
      return expectations([&] {
        EXPECT_TRUE(with_ec.signs());
        EXPECT_TRUE(legacy.of(rsa).signs()) << "one that is made in the child";
      });
    });
    EXPECT_TRUE(with_ec.signs());
    const ending end = forked.wait();
    EXPECT_TRUE(end.fine()) << end;
  }
  EXPECT_TRUE(with_ec.signs());
}

TEST_F(MethodKey, WantsALibhsmtlsPkcs11ThatHasViews) {
  hsmtls_p11_functions older = *face.get();
  older.size = offsetof(hsmtls_p11_functions, view_open);
  hsmtls_p11_error error{};
  void* made = nullptr;
  hsmtls_legacy_key* kept = nullptr;
  EXPECT_EQ(HSMTLS_P11_UNSUPPORTED,
            legacy->method_key(ec.get(), &older, EVP_sha256(), &made, &kept, &error));
  EXPECT_THAT(error.message, HasSubstr("install one version"));
  const auto bad = [&](int32_t code) { EXPECT_EQ(HSMTLS_P11_BAD_ARGUMENT, code); };
  bad(legacy->method_key(nullptr, face.get(), EVP_sha256(), &made, &kept, &error));
  bad(legacy->method_key(ec.get(), nullptr, EVP_sha256(), &made, &kept, &error));
  bad(legacy->method_key(ec.get(), face.get(), nullptr, &made, &kept, &error));
  bad(legacy->method_key(ec.get(), face.get(), EVP_sha256(), nullptr, &kept, &error));
  bad(legacy->method_key(ec.get(), face.get(), EVP_sha256(), &made, nullptr, nullptr));
  EXPECT_EQ(nullptr, made);
}

// Which libp11, and which libcrypto: said before any key is asked for.
class MethodKeyOf : public over_three_keys {
 protected:
  ~MethodKeyOf() override { unsetenv("HSMTLS_LIBP11"); }
  std::string refused(const void* in_libcrypto = EVP_sha256()) const {
    method_key out;
    const answer got = legacy.make(ec, out, in_libcrypto);
    EXPECT_EQ(got, HSMTLS_P11_UNSUPPORTED);
    return got.message;
  }
};

TEST_F(MethodKeyOf, NoLibp11SaysWhichPackageToInstall) {
  setenv("HSMTLS_LIBP11", "/nonexistent/libp11.so.3", 1);
  EXPECT_THAT(refused(),
              AllOf(HasSubstr("/nonexistent/libp11.so.3"), HasSubstr("package libp11-3")));
  unsetenv("HSMTLS_LIBP11");
  EXPECT_TRUE(legacy.of(ec).signs()) << "once it is installed";
}

TEST_F(MethodKeyOf, AnotherLibraryIsNamed) {
  setenv("HSMTLS_LIBP11", "libm.so.6", 1);
  EXPECT_THAT(refused(), HasSubstr("has no PKCS11_CTX_new"));
}

TEST_F(MethodKeyOf, ALibraryWithoutAProcedureLinkageTableIsKnownByItsLibcrypto) {
  setenv("HSMTLS_LIBP11", HSMTLS_TEST_LIBP11_WITHOUT_PLT, 1);
  method_key out;
  EXPECT_EQ(legacy.make(ec, out), HSMTLS_P11_MODULE) << "it fits, and then loads nothing";
}

TEST_F(MethodKeyOf, AnotherLibcryptoIsRefusedWithBothFiles) {
  Dl_info ours{};
  ASSERT_NE(0, dladdr(EVP_sha256(), &ours));
  const fs::path copy = std::string(HSMTLS_TEST_SCRATCH) + "/another-libcrypto.so";
  fs::copy_file(ours.dli_fname, copy, fs::copy_options::overwrite_existing);
  void* another = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(nullptr, another) << dlerror();
  const auto their_sha256 = reinterpret_cast<decltype(&EVP_sha256)>(dlsym(another, "EVP_sha256"));
  ASSERT_NE(EVP_sha256(), their_sha256());
  EXPECT_THAT(refused(their_sha256()),
              AllOf(HasSubstr("'" + copy.string() + "'"), HasSubstr(std::string(ours.dli_fname))));
  EXPECT_TRUE(legacy.of(ec).signs()) << "the right one works";
  EXPECT_THAT(refused(their_sha256()), HasSubstr(copy.string())) << "and is the one for good";
}

// A module that nobody configured.
TEST(MethodKeyOfAnAddedModule, Signs) {
  const softhsm_token token;
  token.generate_ec_p256("device", "01");
  const module_under_test front = load_front("", std::chrono::seconds(10));
  const private_face face(front);
  const legacy_library legacy(face);
  login_options how = with_pin(token.user_pin());
  how.module = softhsm_module();
  private_key key;
  ASSERT_EQ(face.open("pkcs11:token=edge", key, how), HSMTLS_P11_OK);
  EXPECT_TRUE(legacy.of(key).signs());
}

TEST(MethodKeyAtExit, EndsWithStatus0WithThreadsThatSign) {
  const softhsm_token token;
  token.generate_ec_p256("device", "01");
  for (int i = 0; i < 5; ++i) {
    const ending end = run_program({HSMTLS_TEST_METHOD_KEY_AND_EXIT,
                                    HSMTLS_TEST_FRONT,
                                    HSMTLS_TEST_LEGACY,
                                    "pkcs11:token=edge",
                                    token.user_pin()},
                                   {{"HSMTLS_MODULE", softhsm_module()}});
    EXPECT_TRUE(end.fine()) << end;
    EXPECT_EQ("", end.output);
  }
}

}  // namespace
}  // namespace hsmtls::test
