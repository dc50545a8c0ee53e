// The CKR sweep: what an application sees when a vendor's function answers anything that PKCS#11
// has a name for, once, once after it did its work, and for ever.
#include <gmock/gmock.h>

#include <cstdio>
#include <set>

#include "tests/pkcs11/allowed_returns.hpp"
#include "tests/pkcs11/fixture.hpp"
#include "tests/pkcs11/sweep_walk.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds deadline{20};
// Far above what any call takes (drains wait up to half a second for calls that are stuck; none is
// here), far below what one would call hanging.
constexpr std::chrono::seconds hanging{5};

std::vector<CK_RV> every_return_value() {
  std::vector<CK_RV> all;
  for (CK_RV value = 0; value <= 0x400; ++value) {
    if (pkcs11::rv_name(value).starts_with("CKR_")) all.push_back(value);
  }
  all.push_back(CKR_VENDOR_DEFINED);
  return all;
}

enum class mode { once, once_after, for_ever };

// What is done to the vendor in one case.
struct fault {
  std::string function;
  mode how;
  CK_RV value;

  [[nodiscard]] std::string rule() const {
    const std::string verb = how == mode::once_after ? "fail-after " : "fail ";
    return verb + function + (how == mode::for_ever ? " * " : " 1 ") + pkcs11::rv_name(value);
  }
};

// What became of the cases of one function and mode.
struct outcomes {
  int healed = 0;      // the application saw no error
  int told = 0;        // it saw the vendor's value
  int translated = 0;  // it saw another error
};

using chapter = void (walk::*)();

// A chapter of the walk, and where the fault sets in.
struct scenario {
  explicit scenario(chapter what) : body(what) {}

  // The application is up and loses its token by `script` (SERIAL: the token's serial); then comes
  // the fault.
  static scenario after_loss(std::string script, chapter what) {
    scenario made(what);
    made.loss = std::move(script);
    made.late = true;
    return made;
  }
  // As after_loss; only a restart of the module helps. Restarts are paced, so this takes its time.
  static scenario after_restart(std::string script, chapter what) {
    scenario made = after_loss(std::move(script), what);
    made.modes = {mode::once, mode::for_ever};
    return made;
  }
  // The application is up, and somebody else in the process finalises the vendor's module.
  static scenario after_foreign_finalise(chapter what) {
    scenario made = after_restart({}, what);
    made.finalised = true;
    return made;
  }

  chapter body;
  std::string loss;
  bool finalised = false;
  bool late = false;
  std::vector<mode> modes{mode::once, mode::once_after, mode::for_ever};
};

class Sweep : public over_stub {
 protected:
  Sweep()
      : over_stub(deadline),
        functions(*front.functions_3_0()),
        raw(*module_under_test(HSMTLS_TEST_STUB_VENDOR).functions()) {
    client app(front);
    known.first = app.slot("stub-a");
    known.second = app.slot("stub-b");
    const CK_SESSION_HANDLE session = app.open(known.first);
    const auto public_keys = app.find(session, CKO_PUBLIC_KEY, {1});
    EXPECT_EQ(1U, public_keys.size());
    known.ec_point = app.attribute(session, public_keys.at(0), CKA_EC_POINT);
  }

  // Goes through every return value and mode for each of `names`, in `how`, and prints what became
  // of it.
  void sweep(const std::vector<std::string>& names, const scenario& how) {
    expect_walk_without_faults(how);
    std::printf("| %-22s | %-14s | %-14s | %-14s | %6s | %7s |\n",
                "healed/told/translated",
                "once",
                "once, after",
                "for ever",
                "cases",
                "ms");
    const auto start = clock::now();
    int cases = 0;
    for (const std::string& name : names) {
      const auto start_of_name = clock::now();
      int cases_of_name = 0;
      std::string row = "| " + name + std::string(22 - std::min<size_t>(22, name.size()), ' ');
      for (const mode when : {mode::once, mode::once_after, mode::for_ever}) {
        if (std::count(how.modes.begin(), how.modes.end(), when) == 0) {
          row += " | -             ";
          continue;
        }

        outcomes sum;
        for (const CK_RV value : every_return_value()) {
          // A vendor that says it did what it did is no fault.
          if (value == CKR_OK && when == mode::once_after) continue;
          run_case({name, when, value}, how, sum);
          ++cases_of_name;
          // The first case that fails tells most.
          if (HasFailure()) return;
        }
        const std::string text = std::to_string(sum.healed) + "/" + std::to_string(sum.told) + "/" +
                                 std::to_string(sum.translated);
        row += " | " + text + std::string(14 - std::min<size_t>(14, text.size()), ' ');
      }
      std::printf(
          "%s | %6d | %7.0f |\n", row.c_str(), cases_of_name, milliseconds_since(start_of_name));
      cases += cases_of_name;
    }
    std::printf(
        "| %-22s | %-14s | %-14s | %-14s | %6d | %7.0f |\n",
        "all; slowest call",
        (std::to_string(std::chrono::duration_cast<milliseconds>(slowest).count()) + " ms").c_str(),
        "",
        "",
        cases,
        milliseconds_since(start));
  }

  static double milliseconds_since(clock::time_point start) {
    return std::chrono::duration<double, std::milli>(clock::now() - start).count();
  }

  // Which functions the vendor was called with while the application did `how`.
  std::set<std::string> vendor_calls_of(const scenario& how) {
    trouble.reset();
    walk app(functions, known);
    go(app, how, {});
    app.close_down();
    app.finalise();
    std::set<std::string> called;
    for (const char* name : every_function) {
      if (trouble.count(name) > 0) called.insert(name);
    }
    return called;
  }

#define CK_PKCS11_3_0 1
#define CK_PKCS11_FUNCTION_INFO(name) #name,
  static constexpr const char* every_function[] = {
#include <pkcs11f.h>
  };
#undef CK_PKCS11_FUNCTION_INFO
#undef CK_PKCS11_3_0

 private:
  void go(walk& app, const scenario& how, const std::string& rule) {
    before_fault = tries_end = 0;
    if (!how.late) trouble.run(rule);
    app.open_up();
    if (!app.initialised) return;
    trouble.run(for_this_token(how.loss));
    if (how.finalised) raw.C_Finalize(nullptr);
    if (how.late) {
      trouble.run(rule);
      before_fault = app.answers.size();
    }
    (app.*how.body)();
    tries_end = how.late ? app.answers.size() : 0;
  }

  // Every case with a login has a token of its own: a PIN that it refuses is never sent to it
  // again.
  void another_token() {
    trouble.run("return-token serial=" + std::to_string(++serial));
  }

  // The script, about the token of this case.
  [[nodiscard]] std::string for_this_token(std::string script) const {
    const size_t at = script.find("SERIAL");
    if (at != std::string::npos) script.replace(at, 6, std::to_string(serial));
    return script;
  }

  CK_ULONG real_sessions() const {
    CK_ULONG count = 0;
    for (const CK_SLOT_ID slot : {0, 1}) {
      CK_TOKEN_INFO info{};
      if (raw.C_GetTokenInfo(slot, &info) == CKR_OK) count += info.ulSessionCount;
    }
    return count;
  }

  // What the walk does is right, or a fault would show nothing. On a busy machine a recovery may take
  // longer than this short deadline: then it is walked again.
  void expect_walk_without_faults(const scenario& how) {
    constexpr int most_tries = 20;
    std::string failed;
    for (int i = 0; i < most_tries; ++i) {
      failed = walk_without_faults(how);
      if (failed.empty()) return;
    }
    ADD_FAILURE() << failed;
  }

  // Returns what went wrong.
  std::string walk_without_faults(const scenario& how) {
    another_token();
    walk app(functions, known);
    go(app, how, {});
    app.close_down();
    EXPECT_TRUE(eventually([&] { return real_sessions() == 0; }));
    app.finalise();
    EXPECT_THAT(app.wrong, testing::IsEmpty());
    // After a loss, those who come too early for this deadline are told so.
    std::string failed;
    for (size_t i = how.late ? app.answers.size() - 4 : 0; i < app.answers.size(); ++i) {
      const auto& one = app.answers[i];
      if (!is_success(one))
        failed += std::string(one.function) + ": " + pkcs11::rv_name(one.value) + "; ";
    }
    return failed;
  }

  void run_case(const fault& given, const scenario& how, outcomes& sum) {
    const auto log_before = std::filesystem::file_size(std::getenv("HSMTLS_LOG"));
    SCOPED_TRACE(given.rule());
    another_token();
    walk app(functions, known);
    go(app, how, given.rule());

    // Such faults show while the application closes what it has open; all others are over now.
    const std::set<std::string> at_the_end{"C_Logout", "C_CloseSession", "C_Finalize"};
    const bool while_closing = !how.late && at_the_end.contains(given.function);
    if (!while_closing) {
      trouble.run("clear");
      if (app.logged_in && app.key != 0 && given.value != CKR_OK) expect_live_key(app, given);
    }
    app.close_down();
    if (given.value != CKR_OK) expect_no_session_left(given);
    app.finalise();
    trouble.run("clear");
    judge(app, given, sum);
    // Whatever the vendor was made to say about C_Finalize: the next application finds it as it
    // was.
    raw.C_Finalize(nullptr);
    expect_next_application_works(app, given);
    if (!HasFailure()) return;
    std::printf("The log of this case:\n%s", log.text().substr(log_before).c_str());
  }

  // The same session and the same key handle sign again once the fault is over.
  void expect_live_key(walk& app, const fault& given) {
    functions.C_SessionCancel(app.session, ~CK_FLAGS{0});
    bytes signature(64);
    walk probe(functions, known);
    probe.session = app.session;
    // Recovery attempts are paced: one may come too early for this deadline.
    const auto give_up = clock::now() + std::chrono::seconds(3);
    while (!probe.sign(CKM_ECDSA, app.key, signature) && clock::now() < give_up) {
      if (probe.answers.back().value == CKR_USER_NOT_LOGGED_IN) break;
      functions.C_SessionCancel(app.session, ~CK_FLAGS{0});
    }
    const CK_RV last = probe.answers.back().value;
    // Said to be in somebody else's hands, it may not be restarted, and without that the token
    // stays away.
    const bool hands_off =
        given.function == "C_Initialize" && given.value == CKR_CRYPTOKI_ALREADY_INITIALIZED;
    const bool login_given_up =
        given.function.starts_with("C_Login") && last == CKR_USER_NOT_LOGGED_IN;
    if (login_given_up || hands_off) return;
    EXPECT_RV(CKR_OK, last) << "the live key does not sign after the fault";
    if (last != CKR_OK) return;
    EXPECT_EQ(app.signature_of(known.ec_point, CKM_ECDSA), signature);
  }

  void expect_no_session_left(const fault& given) {
    // Not ours to close: the vendor opened it and said no, or said no to closing it, or said that
    // it knows of no session any more (and by now somebody else may have one of that number).
    const bool vendors_fault =
        (given.function == "C_OpenSession" && given.how == mode::once_after) ||
        (given.function == "C_CloseSession" && given.how != mode::once_after) ||
        given.value == CKR_CRYPTOKI_NOT_INITIALIZED;
    if (vendors_fault) return;
    // A recovery that the application did not wait for ends by itself.
    EXPECT_TRUE(eventually([&] { return real_sessions() == 0; }))
        << real_sessions() << " sessions left open in the vendor";
  }

  static bool is_success(const walk::answer& one) {
    return one.value == CKR_OK ||
           (one.value == CKR_NO_EVENT && one.function == std::string("C_WaitForSlotEvent"));
  }

  void judge(const walk& app, const fault& given, outcomes& sum) {
    slowest = std::max(slowest, app.slowest);
    EXPECT_LT(app.slowest, hanging);
    bool told = false;
    bool translated = false;
    for (const auto& one : app.answers) {
      // Of an application that tries until it works, the last try counts.
      if (tries_end > 0 && &one == &app.answers[tries_end - 1]) told = translated = false;
      if (is_success(one)) continue;
      (one.value == given.value ? told : translated) = true;
      if (given.value == CKR_OK) continue;  // a vendor that lies is not judged by what comes of it
      // Of the session that the application has, and of our being initialised, the vendor knows
      // nothing.
      static const std::set<std::string> without_session{
          "C_Initialize", "C_GetSlotList", "C_WaitForSlotEvent"};
      const bool about_session =
          one.value == CKR_SESSION_HANDLE_INVALID || one.value == CKR_SESSION_CLOSED;
      const bool not_its_business = (about_session && !without_session.contains(one.function)) ||
                                    (one.value == CKR_CRYPTOKI_NOT_INITIALIZED &&
                                     one.function != std::string("C_Initialize"));
      const bool vendors = one.value == given.value && !not_its_business;
      EXPECT_TRUE(vendors || may_return(one.function, one.value))
          << one.function << " returned " << pkcs11::rv_name(one.value);
    }
    ++(translated ? sum.translated : told ? sum.told : sum.healed);
    if (given.value == CKR_OK) return;
    EXPECT_THAT(app.wrong, testing::IsEmpty()) << "wrong successes";
    if (given.how == mode::for_ever) expect_no_success(app, given);
  }

  // A function that the vendor refuses for ever cannot succeed.
  void expect_no_success(const walk& app, const fault& given) {
    // These five do their work for the application whatever the vendor says. C_Initialize may find
    // the module initialised by somebody else; a session that is gone has nothing left to cancel.
    static const std::set<std::string> ours{
        "C_Finalize", "C_CloseSession", "C_GetSessionInfo", "C_Logout", "C_GetInfo"};
    if (ours.contains(given.function)) return;
    if (given.function == "C_Initialize" && given.value == CKR_CRYPTOKI_ALREADY_INITIALIZED) return;
    if (given.function == "C_SessionCancel") return;
    for (size_t i = before_fault; i < app.answers.size(); ++i) {
      const auto& one = app.answers[i];
      EXPECT_FALSE(one.function == given.function && one.value == CKR_OK)
          << one.function << " succeeded";
    }
  }

  // On a busy machine its calls may take longer than this short deadline: then another one comes.
  void expect_next_application_works(const walk& before, const fault& given) {
    constexpr int most_tries = 20;
    int strays = 0;
    std::string failed;
    for (int i = 0; i < most_tries && (i == 0 || !failed.empty()); ++i) {
      another_token();
      walk app(functions, known);
      app.open_up();
      if (app.session != 0) {
        app.sign_once();
        strays += app.sweep_away_objects();
      }
      app.close_down();
      app.finalise();
      EXPECT_THAT(app.wrong, testing::IsEmpty());
      failed.clear();
      for (const auto& one : app.answers) {
        if (one.value != CKR_OK)
          failed += std::string(one.function) + ": " + pkcs11::rv_name(one.value) + "; ";
      }
    }
    EXPECT_EQ("", failed) << "in the next application";
    if (given.value == CKR_OK) return;
    const bool made_and_denied =
        given.how == mode::once_after &&
        (given.function == "C_CreateObject" || given.function == "C_CopyObject");
    EXPECT_EQ(before.objects_made - before.objects_destroyed + (made_and_denied ? 1 : 0) -
                  (given.function == "C_DestroyObject" && given.how == mode::once_after ? 1 : 0),
              strays)
        << "objects that the application does not know of";
  }

  const CK_FUNCTION_LIST_3_0& functions;
  const CK_FUNCTION_LIST& raw;
  known_tokens known;
  int serial = 0;
  size_t tries_end = 0;     // how many until the end of a body that tries again
  size_t before_fault = 0;  // how many calls the application made before the fault set in
  clock::duration slowest{};
};

const std::vector<std::string> looking{"C_Initialize",
                                       "C_GetInfo",
                                       "C_GetSlotList",
                                       "C_GetSlotInfo",
                                       "C_GetTokenInfo",
                                       "C_GetMechanismList",
                                       "C_GetMechanismInfo",
                                       "C_WaitForSlotEvent",
                                       "C_Finalize"};
const std::vector<std::string> session_calls{"C_OpenSession",
                                             "C_CloseSession",
                                             "C_GetSessionInfo",
                                             "C_Login",
                                             "C_LoginUser",
                                             "C_Logout",
                                             "C_SetPIN",
                                             "C_GetOperationState",
                                             "C_SetOperationState",
                                             "C_SessionCancel"};
const std::vector<std::string> administration{"C_InitToken", "C_InitPIN"};
const std::vector<std::string> object_calls{"C_FindObjectsInit",
                                            "C_FindObjects",
                                            "C_FindObjectsFinal",
                                            "C_GetAttributeValue",
                                            "C_GetObjectSize",
                                            "C_CreateObject",
                                            "C_CopyObject",
                                            "C_SetAttributeValue",
                                            "C_DestroyObject"};
const std::vector<std::string> signing{"C_SignInit",
                                       "C_Sign",
                                       "C_SignUpdate",
                                       "C_SignFinal",
                                       "C_SignRecoverInit",
                                       "C_SignRecover",
                                       "C_VerifyInit",
                                       "C_Verify",
                                       "C_VerifyUpdate",
                                       "C_VerifyFinal",
                                       "C_VerifyRecoverInit",
                                       "C_VerifyRecover"};
const std::vector<std::string> ciphering{"C_DigestInit",
                                         "C_Digest",
                                         "C_DigestUpdate",
                                         "C_DigestKey",
                                         "C_DigestFinal",
                                         "C_EncryptInit",
                                         "C_Encrypt",
                                         "C_EncryptUpdate",
                                         "C_EncryptFinal",
                                         "C_DecryptInit",
                                         "C_Decrypt",
                                         "C_DecryptUpdate",
                                         "C_DecryptFinal",
                                         "C_DigestEncryptUpdate",
                                         "C_DecryptDigestUpdate",
                                         "C_SignEncryptUpdate",
                                         "C_DecryptVerifyUpdate"};
const std::vector<std::string> key_calls{"C_GenerateKey",
                                         "C_GenerateKeyPair",
                                         "C_WrapKey",
                                         "C_UnwrapKey",
                                         "C_DeriveKey",
                                         "C_SeedRandom",
                                         "C_GenerateRandom"};
const std::vector<std::string> message_calls{
    "C_MessageEncryptInit",  "C_EncryptMessage",      "C_EncryptMessageBegin",
    "C_EncryptMessageNext",  "C_MessageEncryptFinal", "C_MessageDecryptInit",
    "C_DecryptMessage",      "C_DecryptMessageBegin", "C_DecryptMessageNext",
    "C_MessageDecryptFinal", "C_MessageSignInit",     "C_SignMessage",
    "C_SignMessageBegin",    "C_SignMessageNext",     "C_MessageSignFinal",
    "C_MessageVerifyInit",   "C_VerifyMessage",       "C_VerifyMessageBegin",
    "C_VerifyMessageNext",   "C_MessageVerifyFinal"};

TEST_F(Sweep, KnowsEveryReturnValueOfTheHeader) {
  EXPECT_EQ(size_t{HSMTLS_TEST_RETURN_VALUES}, every_return_value().size());
}

TEST_F(Sweep, LeavesOutNoFunctionThatTheLayerCalls) {
  std::set<std::string> swept;
  for (const auto* names : {&looking,
                            &session_calls,
                            &administration,
                            &object_calls,
                            &signing,
                            &ciphering,
                            &key_calls,
                            &message_calls}) {
    swept.insert(names->begin(), names->end());
  }
  std::set<std::string> called;
  for (const chapter body : {&walk::look_around,
                             &walk::sessions,
                             &walk::administer,
                             &walk::objects,
                             &walk::signatures,
                             &walk::ciphers,
                             &walk::keys,
                             &walk::messages}) {
    called.merge(vendor_calls_of(scenario(body)));
  }
  for (const char* lists : {"C_GetFunctionList", "C_GetInterface", "C_GetInterfaceList"}) {
    called.erase(lists);
  }
  EXPECT_EQ(swept, called);
  // What the layer answers by itself.
  for (const char* own : {"C_CloseAllSessions", "C_GetFunctionStatus", "C_CancelFunction"}) {
    called.insert(own);
  }
  EXPECT_EQ(std::size(every_function) - 3, called.size());
}

TEST_F(Sweep, OfWhatAnApplicationStartsWith) {
  sweep(looking, scenario(&walk::look_around));
}
TEST_F(Sweep, OfSessionsAndLogins) {
  sweep(session_calls, scenario(&walk::sessions));
}
TEST_F(Sweep, OfAdministration) {
  sweep(administration, scenario(&walk::administer));
}
TEST_F(Sweep, OfObjects) {
  sweep(object_calls, scenario(&walk::objects));
}
TEST_F(Sweep, OfSignatures) {
  sweep(signing, scenario(&walk::signatures));
}
TEST_F(Sweep, OfDigestsAndCiphers) {
  sweep(ciphering, scenario(&walk::ciphers));
}
TEST_F(Sweep, OfKeys) {
  sweep(key_calls, scenario(&walk::keys));
}
TEST_F(Sweep, OfMessages) {
  sweep(message_calls, scenario(&walk::messages));
}

// The first rung of the ladder, with a fault in it.
TEST_F(Sweep, OfARecovery) {
  sweep({"C_OpenSession",
         "C_CloseSession",
         "C_GetTokenInfo",
         "C_GetSlotList",
         "C_Login",
         "C_FindObjectsInit",
         "C_FindObjects",
         "C_FindObjectsFinal",
         "C_GetAttributeValue",
         "C_SignInit",
         "C_Sign"},
        scenario::after_loss("drop-sessions", &walk::sign_once));
}

// The second.
TEST_F(Sweep, OfARestartThatFailsToFinalise) {
  sweep({"C_Finalize"},
        scenario::after_restart("remove-token; return-token serial=SERIAL needs-reinit",
                                &walk::sign_until_it_works));
}
TEST_F(Sweep, OfARestartThatFailsToInitialise) {
  sweep({"C_Initialize"},
        scenario::after_restart("remove-token; return-token serial=SERIAL needs-reinit",
                                &walk::sign_until_it_works));
}
TEST_F(Sweep, OfAModuleThatSomebodyElseFinalised) {
  sweep({"C_Initialize", "C_Login"}, scenario::after_foreign_finalise(&walk::sign_once));
}

}  // namespace
}  // namespace hsmtls::test
