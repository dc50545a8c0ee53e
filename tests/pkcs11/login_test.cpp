// Nobody gets locked out: what reaches the token of the PINs that an application gives.
#include <barrier>
#include <fstream>
#include <thread>

#include <sys/mman.h>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/fixture.hpp"

namespace hsmtls::test {
namespace {

using std::chrono::milliseconds;

class Login : public over_stub {
 protected:
  explicit Login(milliseconds deadline = std::chrono::seconds(10))
      : over_stub(deadline),
        vendor(HSMTLS_TEST_CHAOS),
        app(front),
        session(app.open(app.slot("stub-a"))) {}

  void log_in() {
    ASSERT_RV(CKR_OK, app.login(session, "1234"));
    key = app.private_key(session, id);
    wanted = expected_signature(app, session, id, data);
    expect_right_signature();
  }

  void expect_right_signature() {
    bytes signature;
    ASSERT_RV(CKR_OK, app.sign(session, key, data, &signature));
    EXPECT_EQ(wanted, signature);
  }

  [[nodiscard]] uint64_t logins() const { return trouble.count("C_Login"); }

  // Somebody in this process who uses the vendor's module directly.
  CK_SESSION_HANDLE open_at_vendor() {
    CK_SESSION_HANDLE opened = 0;
    EXPECT_RV(
        CKR_OK,
        vendor->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &opened));
    return opened;
  }
  void change_pin_at_vendor(std::string from, std::string to) {
    EXPECT_RV(CKR_OK,
              set_pin(*vendor.functions(), open_at_vendor(), std::move(from), std::move(to)));
  }
  static CK_RV set_pin(const CK_FUNCTION_LIST& module,
                       CK_SESSION_HANDLE in,
                       std::string from,
                       std::string to) {
    return module.C_SetPIN(in,
                           reinterpret_cast<CK_UTF8CHAR*>(from.data()),
                           from.size(),
                           reinterpret_cast<CK_UTF8CHAR*>(to.data()),
                           to.size());
  }

  const bytes id{0x01};
  const bytes data = "what is signed"_b;
  module_under_test vendor;
  client app;
  CK_SESSION_HANDLE session;
  CK_OBJECT_HANDLE key = 0;
  bytes wanted;
};

// ---- wrong PINs ---------------------------------------------------------------------------------

TEST_F(Login, SendsAWrongPinOnce) {
  for (int i = 0; i < 10; ++i) EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  const CK_SESSION_HANDLE another = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(another, "wrong"));
  EXPECT_EQ(1U, logins());
  EXPECT_EQ(1U, log.count("pin-refused"));
  EXPECT_EQ(10U, log.count("pin-withheld"));
}

TEST_F(Login, SendsAnotherPinAfterAWrongOneAndTheRightOneWorks) {
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  log_in();
  EXPECT_EQ(2U, logins());
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong too"));
  EXPECT_EQ(3U, logins());
  log_in();
  trouble.run("drop-sessions");
  expect_right_signature();
}

TEST_F(Login, SendsAWrongPinOnceWhenEightThreadsGiveItAtOnce) {
  constexpr int threads = 8;
  trouble.run("delay C_Login 20ms");  // all of them come while the first is inside
  std::barrier start(threads);
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      const CK_SESSION_HANDLE mine = app.open(app.slot("stub-a"));
      start.arrive_and_wait();
      EXPECT_RV(CKR_PIN_INCORRECT, app.login(mine, "wrong"));
    });
  }
  for (auto& one : all) one.join();
  EXPECT_EQ(1U, logins());
  trouble.run("clear");
  log_in();
}

TEST_F(Login, SendsAWrongPinOnceAcrossFinaliseAndInitialise) {
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_RV(CKR_OK, app.p11.C_Finalize(nullptr));
    ASSERT_RV(CKR_OK, app.p11.C_Initialize(nullptr));
    session = app.open(app.slot("stub-a"));
    EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  }
  EXPECT_EQ(1U, logins());
  log_in();
}

TEST_F(Login, SendsAWrongPinOnceAcrossResets) {
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  trouble.run("remove-token; return-token needs-reinit");
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  EXPECT_EQ(1U, logins());
}

TEST_F(Login, TellsAPinOfOneTokenFromThatOfAnother) {
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  const CK_SESSION_HANDLE other = app.open(app.slot("stub-b"));
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(other, "wrong"));
  EXPECT_EQ(2U, logins()) << "what one token refuses another may take";
}

TEST_F(Login, SendsTheSecurityOfficersWrongPinOnce) {
  app.p11.C_CloseSession(session);
  session = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong", CKU_SO));
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong", CKU_SO));
  EXPECT_EQ(1U, logins());
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong", CKU_USER))
      << "the user's is another PIN";
  EXPECT_EQ(2U, logins());
}

TEST_F(Login, SendsNoPinOnceWhereTheTokenHasNoPinPad) {
  EXPECT_RV(CKR_PIN_INCORRECT, app.p11.C_Login(session, CKU_USER, nullptr, 0));
  EXPECT_RV(CKR_PIN_INCORRECT, app.p11.C_Login(session, CKU_USER, nullptr, 0));
  EXPECT_EQ(1U, logins());
}

TEST_F(Login, SendsAWrongOldPinOnceToChangeIt) {
  const CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  EXPECT_RV(CKR_PIN_INCORRECT, set_pin(app.p11, writable, "wrong", "5678"));
  EXPECT_RV(CKR_PIN_INCORRECT, set_pin(app.p11, writable, "wrong", "5678"));
  EXPECT_EQ(1U, trouble.count("C_SetPIN"));
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "wrong"));
  EXPECT_EQ(0U, logins());
}

// ---- what the token says of its PIN -------------------------------------------------------------

TEST_F(Login, TriesNothingOnALockedToken) {
  trouble.run("lock-pin");
  EXPECT_RV(CKR_PIN_LOCKED, app.login(session, "1234"));
  EXPECT_EQ(0U, logins());
  trouble.run("unlock-pin");
  log_in();
}

TEST_F(Login, LeavesTheLastTryToAPerson) {
  trouble.run("pin-flags final-try");
  captured_stderr on_stderr;
  EXPECT_RV(CKR_PIN_LOCKED, app.login(session, "1234"));
  EXPECT_RV(CKR_PIN_LOCKED, app.login(session, "1234"));
  const std::string said = on_stderr.stop();
  EXPECT_NE(std::string::npos, said.find("has one PIN try left, so no PIN was sent")) << said;
  EXPECT_NE(std::string::npos, said.find("HSMTLS_FINAL_TRY=allow")) << said;
  EXPECT_EQ(said.find("has one PIN"), said.rfind("has one PIN")) << "said once";
  EXPECT_EQ(0U, logins());
}

TEST_F(Login, LeavesTheLastTryToAPersonAlsoWhereAPinIsToBeChanged) {
  const CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  trouble.run("pin-flags final-try");
  EXPECT_RV(CKR_PIN_LOCKED, set_pin(app.p11, writable, "1234", "56789"));
  EXPECT_EQ(0U, trouble.count("C_SetPIN"));
}

TEST_F(Login, LeavesTheLastTryToAPersonAlsoForASingleSignature) {
  log_in();
  trouble.run("always-authenticate pin=1234; pin-flags final-try");
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  ASSERT_RV(CKR_OK, app.p11.C_SignInit(session, &mechanism, key));
  const auto before = logins();
  EXPECT_RV(CKR_PIN_LOCKED, app.login(session, "another", CKU_CONTEXT_SPECIFIC));
  EXPECT_EQ(before, logins());
  EXPECT_RV(CKR_OK, app.login(session, "1234", CKU_CONTEXT_SPECIFIC)) << "known to be right";
}

TEST_F(Login, SparesTheSecurityOfficersLastTry) {
  for (const std::string flag : {"so-final-try", "so-locked"}) {
    trouble.run("pin-flags " + flag);
    const CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
    EXPECT_RV(CKR_OK, app.p11.C_CloseSession(session));
    EXPECT_RV(CKR_PIN_LOCKED, app.login(writable, "so1234", CKU_SO)) << flag;
    EXPECT_RV(CKR_OK, app.p11.C_CloseSession(writable));
    std::string pin = "so1234";
    std::string label(32, ' ');
    EXPECT_RV(CKR_PIN_LOCKED,
              app.p11.C_InitToken(app.slot("stub-a"),
                                  reinterpret_cast<CK_UTF8CHAR*>(pin.data()),
                                  pin.size(),
                                  reinterpret_cast<CK_UTF8CHAR*>(label.data())))
        << flag;
    session = app.open(app.slot("stub-a"));
  }
  EXPECT_EQ(0U, logins());
  EXPECT_EQ(0U, trouble.count("C_InitToken"));
}

struct final_try_allowed {
  final_try_allowed() { setenv("HSMTLS_FINAL_TRY", "allow", 1); }
};
class LoginOnTheFinalTry : final_try_allowed, public Login {};

TEST_F(LoginOnTheFinalTry, GoesThroughForWhoInsists) {
  trouble.run("pin-flags final-try");
  log_in();
  EXPECT_EQ(1U, logins());
}

TEST_F(LoginOnTheFinalTry, IsOneDeliberateLoginAndNoneOfTheModulesOwn) {
  log_in();
  trouble.run("pin-flags final-try; drop-sessions");
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
  EXPECT_EQ(1U, logins());
}

TEST_F(Login, PausesAfterFiveDifferentPinsThatWereRefused) {
  trouble.run("fail C_Login * CKR_PIN_INCORRECT");  // a token that never locks
  for (const char* pin : {"wrong-1", "wrong-2", "wrong-3", "wrong-4", "wrong-5"})
    EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, pin));
  EXPECT_EQ(5U, logins());
  EXPECT_EQ(1U, log.count("login-paused"));
  trouble.run("clear");
  log_in();  // a person who knows it is not kept waiting
}

TEST_F(Login, OnlyWarnsOfALowCount) {
  trouble.run("pin-flags count-low");
  log_in();
  trouble.run("drop-sessions");
  expect_right_signature();
  EXPECT_EQ(1U, log.count("pin-count-low"));
}

TEST_F(Login, GoesThroughForAPinThatIsToBeChangedButIsNotRepeated) {
  trouble.run("pin-flags to-be-changed");
  log_in();
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
  EXPECT_EQ(1U, logins());
  EXPECT_EQ(1U, log.count("login-needed"));
  log_in();
}

TEST_F(Login, IsNotRepeatedOnALockedTokenOrItsLastTry) {
  for (const std::string trap : {"lock-pin", "pin-flags final-try"}) {
    log_in();
    const auto before = logins();
    trouble.run(trap + "; drop-sessions");
    for (int i = 0; i < 3; ++i)
      EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data)) << trap;
    EXPECT_EQ(before, logins()) << trap;
    trouble.run("unlock-pin; pin-flags none");
  }
  log_in();
}

// ---- PIN pads -----------------------------------------------------------------------------------

TEST_F(Login, AtAPinPadWorksAndIsAskedForAgainAfterALoss) {
  trouble.run("pin-pad pin=1234");
  ASSERT_RV(CKR_OK, app.p11.C_Login(session, CKU_USER, nullptr, 0));
  key = app.private_key(session, id);
  wanted = expected_signature(app, session, id, data);
  expect_right_signature();
  for (int i = 0; i < 2; ++i) {
    const auto before = logins();
    trouble.run("drop-sessions");
    EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
    EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
    EXPECT_EQ(before, logins()) << "nobody is at the pad";
    ASSERT_RV(CKR_OK, app.p11.C_Login(session, CKU_USER, nullptr, 0));
    expect_right_signature();
  }
  EXPECT_EQ(2U, log.count("login-needed"));
}

TEST_F(Login, AtAPinPadMayBeTriedAgain) {
  trouble.run("pin-pad pin=9999");
  EXPECT_RV(CKR_PIN_INCORRECT, app.p11.C_Login(session, CKU_USER, nullptr, 0));
  trouble.run("pin-pad pin=1234");
  EXPECT_RV(CKR_OK, app.p11.C_Login(session, CKU_USER, nullptr, 0)) << "another PIN may be typed";
}

// ---- keys that want the PIN for each signature --------------------------------------------------

class LoginForAKey : public Login {
 protected:
  LoginForAKey() {
    log_in();
    trouble.run("always-authenticate pin=1234");
  }
  CK_RV begin() { return app.p11.C_SignInit(session, &mechanism, key); }
  CK_RV authenticate(const std::string& pin = "1234") {
    return app.login(session, pin, CKU_CONTEXT_SPECIFIC);
  }
  CK_RV finish() {
    bytes in = data;
    signature.assign(512, 0);
    CK_ULONG length = signature.size();
    const CK_RV rv = app.p11.C_Sign(session, in.data(), in.size(), signature.data(), &length);
    signature.resize(rv == CKR_OK ? length : 0);
    return rv;
  }
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  bytes signature;
};

TEST_F(LoginForAKey, CostsThreeCalls) {
  const auto before = trouble.total();
  ASSERT_RV(CKR_OK, begin());
  ASSERT_RV(CKR_OK, authenticate());
  ASSERT_RV(CKR_OK, finish());
  EXPECT_EQ(wanted, signature);
  EXPECT_EQ(before + 3, trouble.total());
}

TEST_F(LoginForAKey, IsRepeatedAfterAResetAtAnyStep) {
  for (const std::string step :
       {"", "C_SignInit", "C_Login", "C_Sign", "C_OpenSession", "C_FindObjects"}) {
    for (const int when : {0, 1, 2}) {
      const auto reset_at = [&](int here) {
        if (here == when)
          trouble.run("drop-sessions" + (step.empty() ? "" : "; drop-sessions-at " + step + " 1"));
      };
      reset_at(0);
      ASSERT_RV(CKR_OK, begin()) << when << step;
      reset_at(1);
      ASSERT_RV(CKR_OK, authenticate()) << when << step;
      reset_at(2);
      ASSERT_RV(CKR_OK, finish()) << when << step;
      EXPECT_EQ(wanted, signature);
      trouble.run("clear");
    }
  }
  for (const std::string step : {"C_SignInit", "C_Login", "C_Sign"}) {
    trouble.run("drop-sessions-at " + step + " 1");
    ASSERT_RV(CKR_OK, begin()) << step;
    ASSERT_RV(CKR_OK, authenticate()) << step;
    ASSERT_RV(CKR_OK, finish()) << step;
    EXPECT_EQ(wanted, signature);
  }
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(LoginForAKey, SendsAWrongPinOnceAndTakesTheRightOneAfterIt) {
  const auto before = logins();
  for (int i = 0; i < 3; ++i) {
    ASSERT_RV(CKR_OK, begin());
    EXPECT_RV(CKR_PIN_INCORRECT, authenticate("wrong"));
    EXPECT_RV(CKR_USER_NOT_LOGGED_IN, finish());
  }
  EXPECT_EQ(before + 1, logins());
  ASSERT_RV(CKR_OK, begin());
  EXPECT_RV(CKR_PIN_INCORRECT, authenticate("wrong"));
  EXPECT_RV(CKR_OK, authenticate());
  EXPECT_RV(CKR_OK, finish());
  EXPECT_EQ(wanted, signature);
}

TEST_F(LoginForAKey, IsForgottenWhenTheApplicationDidNotGiveIt) {
  ASSERT_RV(CKR_OK, begin());
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, finish()) << "the PIN is the application's to give, each time";
}

TEST_F(LoginForAKey, AtAPinPadIsPassedOn) {
  trouble.run("pin-pad pin=1234");
  ASSERT_RV(CKR_OK, begin());
  ASSERT_RV(CKR_OK, app.p11.C_Login(session, CKU_CONTEXT_SPECIFIC, nullptr, 0));
  ASSERT_RV(CKR_OK, finish());
  EXPECT_EQ(wanted, signature);
}

// ---- others -------------------------------------------------------------------------------------

TEST_F(Login, BySomebodyElseIsNotTakenForOurs) {
  std::string right = "1234";
  ASSERT_RV(
      CKR_OK,
      vendor->C_Login(
          open_at_vendor(), CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(right.data()), right.size()));
  EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, app.login(session, "unverified"));
  key = app.private_key(session, id);
  wanted = expected_signature(app, session, id, data);
  expect_right_signature();

  const auto before = logins();
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
  EXPECT_EQ(before, logins()) << "a PIN that nobody has checked was sent";
  EXPECT_EQ(1U, log.count("login-needed"));
  log_in();
}

TEST_F(Login, GivenAgainIsAnsweredWithoutACall) {
  log_in();
  const auto before = trouble.total();
  EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, app.login(session, "1234"));
  EXPECT_EQ(before, trouble.total());
}

TEST_F(Login, EndsWithLogoutAlsoAfterALoss) {
  for (const bool lost : {false, true}) {
    log_in();
    if (lost) trouble.run("drop-sessions");
    const auto before = logins();
    EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
    EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
    EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.p11.C_Logout(session));
    EXPECT_EQ(before, logins());
  }
  log_in();
}

// ---- a PIN that changes -------------------------------------------------------------------------

TEST_F(Login, UsesThePinThatTheApplicationSetAfterTheNextReset) {
  log_in();
  const CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  ASSERT_RV(CKR_OK, set_pin(app.p11, writable, "1234", "5678"));
  trouble.run("drop-sessions");
  expect_right_signature();
  ASSERT_RV(CKR_OK, set_pin(app.p11, writable, "5678", "1234")) << "an old one may come back";
  trouble.run("drop-sessions");
  expect_right_signature();
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(Login, SendsAPinThatSomebodyElseChangedOnceMoreAndTheNewOneHeals) {
  log_in();
  change_pin_at_vendor("1234", "5678");
  const auto before = logins();
  trouble.run("drop-sessions");
  for (int i = 0; i < 5; ++i) EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
  EXPECT_EQ(before + 1, logins());
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "1234"));
  EXPECT_EQ(before + 1, logins());
  EXPECT_EQ(1U, log.count("pin-refused"));
  EXPECT_EQ(1U, log.count("login-needed"));

  ASSERT_RV(CKR_OK, app.login(session, "5678"));
  expect_right_signature();
  trouble.run("drop-sessions");
  expect_right_signature();
  change_pin_at_vendor("5678", "1234");
}

TEST_F(Login, SendsAPinThatSomebodyElseChangedOnceMoreUnderEightThreads) {
  log_in();
  change_pin_at_vendor("1234", "5678");
  const auto before = logins();
  trouble.run("delay C_Login 5ms; drop-sessions-every 3 C_OpenSession; drop-sessions");
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i) {
    all.emplace_back([&] {
      const CK_SESSION_HANDLE mine = app.open(app.slot("stub-a"));
      for (int n = 0; n < 10; ++n) EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(mine, key, data));
    });
  }
  for (auto& one : all) one.join();
  EXPECT_EQ(before + 1, logins());
}

// ---- logins that fail for other reasons ---------------------------------------------------------

class LoginThatFails : public Login {
 protected:
  LoginThatFails() : Login(milliseconds(1000)) {}
};

TEST_F(LoginThatFails, PausesAfterAHandfulOfFailuresAndGoesOnAfterASuccess) {
  log_in();
  const auto before = logins();
  trouble.run("fail C_Login * CKR_GENERAL_ERROR; drop-sessions");
  for (int i = 0; i < 20; ++i) EXPECT_NE(CKR_OK, app.sign(session, key, data));
  EXPECT_EQ(before + 5, logins());
  EXPECT_EQ(1U, log.count("login-paused"));
  const auto initialised = trouble.count("C_Initialize");
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
  EXPECT_EQ(initialised, trouble.count("C_Initialize"))
      << "the module was restarted while nothing is tried";

  EXPECT_RV(CKR_GENERAL_ERROR, app.login(session, "1234")) << "the application itself may try";
  EXPECT_EQ(before + 6, logins());
  trouble.run("clear");
  log_in();
  trouble.run("drop-sessions");
  expect_right_signature();
}

TEST_F(LoginThatFails, IsTriedOnceMoreForTheApplicationAndWhilePausedOnlyOnce) {
  trouble.run("fail C_Login * CKR_GENERAL_ERROR");
  for (const unsigned made : {2U, 4U, 5U, 6U, 7U}) {
    EXPECT_RV(CKR_GENERAL_ERROR, app.login(session, "1234"));
    EXPECT_EQ(made, logins());
  }
  trouble.run("clear");
  log_in();
}

// ---- secrecy ------------------------------------------------------------------------------------

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// A PIN that exists only in pages which a core dump leaves out, and here only as long as the object
// lives.
class hidden_pin {
 public:
  static constexpr size_t length = 24;
  static uint8_t digit(uint8_t seed, size_t at) {
    return static_cast<uint8_t>('A' + (seed * 7 + at * at * 5 + at * 3) % 26);
  }

  explicit hidden_pin(uint8_t seed)
      : page_(static_cast<uint8_t*>(
            mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    madvise(page_, 4096, MADV_DONTDUMP);
    for (size_t i = 0; i < length; ++i) page_[i] = digit(seed, i);
  }
  ~hidden_pin() { munmap(page_, 4096); }
  hidden_pin(const hidden_pin&) = delete;
  hidden_pin& operator=(const hidden_pin&) = delete;
  [[nodiscard]] CK_UTF8CHAR* text() const { return page_; }

 private:
  uint8_t* page_;
};

struct copies {
  int dumped = 0;  // where a core dump shows them
  int hidden = 0;
};

// How often hidden_pin(seed) stands in this process's memory.
copies in_memory(uint8_t seed) {
  copies found;
  std::ifstream maps("/proc/self/smaps");
  std::ifstream memory("/proc/self/mem", std::ios::binary);
  struct region {
    uint64_t start = 0, end = 0;
    bool readable = false, dumped = true;
  };
  std::vector<region> all;
  for (std::string line; std::getline(maps, line);) {
    unsigned long start = 0, end = 0;
    char access[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &start, &end, access) == 3) {
      all.push_back({start, end, access[0] == 'r', true});
    } else if (line.starts_with("VmFlags:")) {
      all.back().dumped = line.find(" dd") == std::string::npos;
    }
  }
  // What is read is wiped by the next read into it; its own copy is not to be counted.
  std::vector<uint8_t> content;
  for (const region& one : all) {
    if (!one.readable) continue;
    content.assign(one.end - one.start, 0);
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(one.start));
    memory.read(reinterpret_cast<char*>(content.data()),
                static_cast<std::streamsize>(content.size()));
    for (size_t at = 0; at + hidden_pin::length <= content.size(); ++at) {
      size_t same = 0;
      while (same < hidden_pin::length && content[at + same] == hidden_pin::digit(seed, same))
        ++same;
      if (same < hidden_pin::length) continue;
      content[at] = 0;
      ++(one.dumped ? found.dumped : found.hidden);
    }
    std::fill(content.begin(), content.end(), uint8_t{0});
  }
  return found;
}

TEST_F(Login, KeepsNoWrongPinInMemory) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's shadow memory is too large to be searched";
  {
    const hidden_pin wrong(1);
    EXPECT_RV(CKR_PIN_INCORRECT,
              app.p11.C_Login(session, CKU_USER, wrong.text(), hidden_pin::length));
    EXPECT_EQ(1, in_memory(1).hidden) << "the test's own, found: the search works";
  }
  const copies left = in_memory(1);
  EXPECT_EQ(0, left.hidden);
  EXPECT_EQ(0, left.dumped);
}

TEST_F(Login, KeepsThePinWhereNoCoreDumpShowsIt) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's shadow memory is too large to be searched";
  int of_vendor = 0;
  {
    const hidden_pin right(2);
    std::string old = "1234";
    ASSERT_RV(CKR_OK,
              vendor->C_SetPIN(open_at_vendor(),
                               reinterpret_cast<CK_UTF8CHAR*>(old.data()),
                               old.size(),
                               right.text(),
                               hidden_pin::length));
    of_vendor = in_memory(2).dumped;  // the stub's own memory of its PIN
    ASSERT_RV(CKR_OK, app.p11.C_Login(session, CKU_USER, right.text(), hidden_pin::length));
  }
  key = app.private_key(session, id);
  wanted = expected_signature(app, session, id, data);
  for (int i = 0; i < 3; ++i) {
    trouble.run("drop-sessions");
    expect_right_signature();
  }
  EXPECT_EQ(1, in_memory(2).hidden);
  EXPECT_EQ(of_vendor, in_memory(2).dumped);
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_EQ(0, in_memory(2).hidden) << "logged out: no use for it any more";
}

TEST_F(Login, IsNeverWrittenDown) {
  captured_stderr on_stderr;
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "not-the-pin"));
  EXPECT_RV(CKR_PIN_INCORRECT, app.login(session, "not-the-pin"));
  change_pin_at_vendor("1234", "secret-one");
  ASSERT_RV(CKR_OK, app.login(session, "secret-one"));
  key = app.private_key(session, id);
  const CK_SESSION_HANDLE writable = app.open(app.slot("stub-a"), CKF_RW_SESSION);
  ASSERT_RV(CKR_OK, set_pin(app.p11, writable, "secret-one", "secret-two"));
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_OK, app.sign(session, key, data));
  change_pin_at_vendor("secret-two", "secret-three");
  trouble.run("drop-sessions");
  EXPECT_RV(CKR_USER_NOT_LOGGED_IN, app.sign(session, key, data));
  trouble.run("pin-flags final-try");
  EXPECT_RV(CKR_PIN_LOCKED, app.login(session, "secret-four"));
  const std::string written = log.text() + on_stderr.stop();
  // No digits: a time in the log may happen to hold them.
  for (const std::string secret : {"not-the-pin", "secret-"}) {
    EXPECT_EQ(std::string::npos, written.find(secret)) << written;
  }
}

}  // namespace
}  // namespace hsmtls::test
