// Views: a slot that shows one key, as a PKCS#11 application that only enumerates sees it.
#include <gmock/gmock.h>

#include <atomic>

#include "tests/pkcs11/captured_stderr.hpp"
#include "tests/pkcs11/private/face.hpp"
#include "tests/support/processes.hpp"

namespace hsmtls::test {
namespace {

using testing::ElementsAre;

// An open view; closes it.
class open_view {
 public:
  open_view(const private_face& face, const private_key& key) : functions_(face.get()) {
    hsmtls_p11_error error{};
    const int32_t code = functions_->view_open(key.get(), &view_, &error);
    EXPECT_EQ(answer_of(code, error), HSMTLS_P11_OK);
  }
  ~open_view() { close(); }
  open_view(const open_view&) = delete;
  open_view& operator=(const open_view&) = delete;
  void close() { functions_->view_close(std::exchange(view_, nullptr)); }

  // What C_GetSlotList shows to who is inside.
  [[nodiscard]] std::vector<CK_SLOT_ID> slots(const client& app) const {
    functions_->view_enter(view_);
    auto all = app.slots();
    functions_->view_leave();
    return all;
  }
  [[nodiscard]] CK_SLOT_ID slot(const client& app) const {
    const auto all = slots(app);
    EXPECT_EQ(1U, all.size());
    return all.empty() ? CK_UNAVAILABLE_INFORMATION : all[0];
  }

 private:
  const hsmtls_p11_functions* functions_;
  hsmtls_p11_view* view_ = nullptr;
};

class PrivateView : public private_over_stub {
 protected:
  // The classes and labels of what a session shows.
  static std::vector<std::pair<CK_OBJECT_CLASS, std::string>> shown(const client& app,
                                                                    CK_SESSION_HANDLE in) {
    std::vector<std::pair<CK_OBJECT_CLASS, std::string>> all;
    for (const CK_OBJECT_CLASS one : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE, CKO_DATA}) {
      for (const CK_OBJECT_HANDLE object : app.find(in, one, {})) {
        const bytes label = app.attribute(in, object, CKA_LABEL);
        all.emplace_back(one, std::string(label.begin(), label.end()));
      }
    }
    return all;
  }
  static CK_STATE state(const client& app, CK_SESSION_HANDLE session) {
    CK_SESSION_INFO info{};
    EXPECT_RV(CKR_OK, app.p11.C_GetSessionInfo(session, &info));
    return info.state;
  }
  CK_RV sign_right(const client& app, CK_SESSION_HANDLE session, const private_key& key) const {
    bytes signature;
    const CK_RV got = app.sign(session, app.private_key(session, {0x01}), data, &signature);
    if (got == CKR_OK) {
      EXPECT_EQ(expected(key, data), signature);
    }
    return got;
  }

  const bytes data = bytes(32, 0x5a);
};

TEST_F(PrivateView, IsTheOnlySlotForAThreadInsideAndNoneForOthers) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const auto ordinary = app.slots();
  EXPECT_EQ(2U, ordinary.size());
  std::vector<CK_SLOT_ID> meanwhile;
  const auto inside = view.slots(app);
  std::thread([&] { meanwhile = app.slots(); }).join();
  EXPECT_EQ(1U, inside.size());
  EXPECT_THAT(ordinary, testing::Not(testing::Contains(inside.at(0))));
  EXPECT_EQ(ordinary, meanwhile);
  EXPECT_EQ(ordinary, app.slots()) << "after it was left";
  CK_ULONG room = 0;
  CK_SLOT_ID place = 0;
  face->view_enter(nullptr);
  EXPECT_EQ(ordinary, app.slots()) << "no view was entered";
  room = 0;
  EXPECT_RV(CKR_BUFFER_TOO_SMALL, app.p11.C_GetSlotList(CK_TRUE, &place, &room));
  EXPECT_EQ(2U, room);
}

TEST_F(PrivateView, SaysThatNoLoginIsRequiredAndNothingIsWritten) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SLOT_ID slot = view.slot(app);
  CK_TOKEN_INFO info{};
  ASSERT_RV(CKR_OK, app.p11.C_GetTokenInfo(slot, &info));
  EXPECT_EQ("stub-a", pkcs11::unpadded(info.label));
  EXPECT_EQ(0U, info.flags & CKF_LOGIN_REQUIRED);
  EXPECT_NE(0U, info.flags & CKF_WRITE_PROTECTED);
  CK_TOKEN_INFO real{};
  ASSERT_RV(CKR_OK, app.p11.C_GetTokenInfo(app.slot("stub-a"), &real));
  EXPECT_NE(0U, real.flags & CKF_LOGIN_REQUIRED) << "the token's own slot says the truth";
}

TEST_F(PrivateView, ShowsTheObjectsOfItsKeyAndNoOthers) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(view.slot(app));
  EXPECT_THAT(shown(app, session),
              ElementsAre(std::pair(CK_OBJECT_CLASS{CKO_PRIVATE_KEY}, std::string("device")),
                          std::pair(CK_OBJECT_CLASS{CKO_PUBLIC_KEY}, std::string("device")),
                          std::pair(CK_OBJECT_CLASS{CKO_CERTIFICATE}, std::string("device"))));
  for (const uint8_t other : {2, 3})
    EXPECT_TRUE(app.find(session, CKO_PRIVATE_KEY, {other}).empty()) << "asked for by its id";
}

TEST_F(PrivateView, RefusesHandlesThatAnotherSlotGave) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SESSION_HANDLE own = app.open(app.slot("stub-a"));
  ASSERT_RV(CKR_OK, app.login(own, "1234"));
  const CK_OBJECT_HANDLE other = app.private_key(own, {2});
  const CK_SESSION_HANDLE session = app.open(view.slot(app));
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, app.sign(session, other, data, nullptr, CKM_RSA_PKCS));
  CK_ATTRIBUTE label{CKA_LABEL, nullptr, 0};
  EXPECT_RV(CKR_OBJECT_HANDLE_INVALID, app.p11.C_GetAttributeValue(session, other, &label, 1));
}

TEST_F(PrivateView, SignsWithTheKeysLoginAndThroughResets) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(view.slot(app));
  const CK_OBJECT_HANDLE handle = app.private_key(session, {1});
  const auto before = trouble.total();
  bytes signature;
  ASSERT_RV(CKR_OK, app.sign(session, handle, data, &signature));
  EXPECT_EQ(before + 2, trouble.total()) << "C_SignInit and C_Sign";
  for (const auto* reset : {"drop-sessions",
                            "fail C_SignInit 1 CKR_DEVICE_REMOVED",
                            "fail C_Sign 3 CKR_DEVICE_ERROR"}) {
    trouble.run(reset);
    ASSERT_RV(CKR_OK, app.sign(session, handle, data, &signature)) << reset;
    EXPECT_EQ(expected(key, data), signature);
  }
}

TEST_F(PrivateView, SignsInEightThreadsThroughResets) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SLOT_ID slot = view.slot(app);
  const CK_OBJECT_HANDLE handle = app.private_key(app.open(slot), {1});
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const CK_SESSION_HANDLE session = app.open(slot);
      for (int round = 0; round < 50; ++round) {
        bytes signature;
        if (app.sign(session, handle, data, &signature) != CKR_OK) continue;
        good += signature == expected(key, data) ? 1 : 0;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    trouble.run("drop-sessions");
    expect_right_signature(key);
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(400, good);
}

TEST_F(PrivateView, IsNotTouchedByWhoLogsInAndOutOnTheTokensOwnSlot) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(view.slot(app));
  const CK_SLOT_ID slot = app.slot("stub-a");
  const CK_SESSION_HANDLE own = app.open(slot);
  ASSERT_RV(CKR_OK, app.login(own, "1234"));
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
  EXPECT_RV(CKR_OK, app.p11.C_Logout(own));
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
  EXPECT_EQ(CK_STATE{CKS_RO_PUBLIC_SESSION}, state(app, own));
  EXPECT_RV(CKR_OK, app.p11.C_CloseAllSessions(slot));
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
  EXPECT_EQ(1U, trouble.count("C_Login"));
  EXPECT_EQ(0U, trouble.count("C_Logout"));
}

TEST_F(PrivateView, ChangesNoLoginOnTheTokensOwnSlot) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SLOT_ID in_view = view.slot(app);
  const CK_SESSION_HANDLE session = app.open(in_view);
  const CK_SESSION_HANDLE own = app.open(app.slot("stub-a"));
  EXPECT_EQ(CK_STATE{CKS_RO_PUBLIC_SESSION}, state(app, own)) << "the key's login is not its";
  EXPECT_TRUE(app.find(own, CKO_PRIVATE_KEY, {1}).empty());
  ASSERT_RV(CKR_OK, app.login(own, "1234"));
  // Whoever tries in a view to log in or out.
  EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, app.login(session, "not-the-pin"));
  EXPECT_RV(CKR_USER_ALREADY_LOGGED_IN, app.login(session, "not-the-pin", CKU_SO));
  EXPECT_RV(CKR_OK, app.p11.C_Logout(session));
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
  EXPECT_EQ(CK_STATE{CKS_RO_USER_FUNCTIONS}, state(app, session));
  EXPECT_EQ(CK_STATE{CKS_RO_USER_FUNCTIONS}, state(app, own));
  EXPECT_RV(CKR_OK, app.p11.C_CloseAllSessions(in_view));
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.sign(session, 1, data));
  EXPECT_RV(CKR_OK, sign_right(app, own, key));
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(PrivateView, DoesNotKeepTheApplicationsLoginAlive) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(view.slot(app));
  const CK_SLOT_ID slot = app.slot("stub-a");
  CK_SESSION_HANDLE own = app.open(slot);
  ASSERT_RV(CKR_OK, app.login(own, "1234"));
  EXPECT_RV(CKR_OK, app.p11.C_CloseSession(own));
  own = app.open(slot);
  EXPECT_EQ(CK_STATE{CKS_RO_PUBLIC_SESSION}, state(app, own)) << "it had no session any more";
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
  EXPECT_RV(CKR_OK, app.p11.C_CloseSession(session));
  EXPECT_RV(CKR_OK, app.login(own, "1234"));
  EXPECT_RV(CKR_OK, sign_right(app, own, key));
}

TEST_F(PrivateView, WritesNothing) {
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SLOT_ID slot = view.slot(app);
  CK_SESSION_HANDLE session = 0;
  EXPECT_RV(
      CKR_TOKEN_WRITE_PROTECTED,
      app.p11.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session));
  CK_UTF8CHAR text[32] = "label";
  EXPECT_RV(CKR_TOKEN_WRITE_PROTECTED, app.p11.C_InitToken(slot, text, 5, text));
  session = app.open(slot);
  CK_OBJECT_CLASS data_object = CKO_DATA;
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &data_object, sizeof data_object}};
  CK_OBJECT_HANDLE made[2] = {};
  EXPECT_RV(CKR_TOKEN_WRITE_PROTECTED, app.p11.C_CreateObject(session, pattern, 1, &made[0]));
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  EXPECT_RV(
      CKR_TOKEN_WRITE_PROTECTED,
      app.p11.C_GenerateKeyPair(session, &mechanism, nullptr, 0, nullptr, 0, &made[0], &made[1]));
  EXPECT_RV(CKR_SESSION_READ_ONLY, app.p11.C_SetPIN(session, text, 5, text, 5));
  EXPECT_RV(CKR_SESSION_READ_ONLY, app.p11.C_InitPIN(session, text, 5));
  const CK_OBJECT_HANDLE handle = app.private_key(session, {1});
  EXPECT_RV(CKR_SESSION_READ_ONLY, app.p11.C_DestroyObject(session, handle));
  EXPECT_EQ(0U,
            trouble.count("C_InitToken") + trouble.count("C_CreateObject") +
                trouble.count("C_GenerateKeyPair") + trouble.count("C_SetPIN"));
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
}

TEST_F(PrivateView, LogsInForAKeyThatWantsItEachTime) {
  trouble.run("always-authenticate pin=1234");
  private_key key = open_device();
  const open_view view(face, key);
  const client app(front);
  const CK_SESSION_HANDLE session = app.open(view.slot(app));
  const CK_OBJECT_HANDLE handle = app.private_key(session, {1});
  EXPECT_EQ(bytes{CK_FALSE}, app.attribute(session, handle, CKA_ALWAYS_AUTHENTICATE));
  for (int i = 0; i < 3; ++i) {
    EXPECT_RV(CKR_OK, sign_right(app, session, key));
    trouble.run("drop-sessions");
  }
}

TEST_F(PrivateView, LivesUntilItIsClosedAlsoWithoutItsKey) {
  private_key key = open_device();
  const private_key again = open_device();
  open_view view(face, key);
  const client app(front);
  const CK_SLOT_ID slot = view.slot(app);
  const CK_SESSION_HANDLE session = app.open(slot);
  key.release();
  EXPECT_RV(CKR_OK, sign_right(app, session, again));
  view.close();
  CK_OBJECT_CLASS any = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE pattern[] = {{CKA_CLASS, &any, sizeof any}};
  EXPECT_RV(CKR_SESSION_HANDLE_INVALID, app.p11.C_FindObjectsInit(session, pattern, 1));
  CK_SESSION_HANDLE another = 0;
  EXPECT_RV(CKR_SLOT_ID_INVALID,
            app.p11.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &another));
  EXPECT_RV(CKR_SLOT_ID_INVALID, app.p11.C_CloseAllSessions(slot));
}

TEST_F(PrivateView, EndsTheLoginWithTheLastOfKeyAndView) {
  private_key key = open_device();
  open_view view(face, key);
  key.release();
  EXPECT_EQ(0U, trouble.count("C_Logout"));
  view.close();
  EXPECT_EQ(1U, trouble.count("C_Logout"));
  EXPECT_EQ(1U, trouble.count("C_Finalize"));
}

TEST_F(PrivateView, OfTwoKeysAreTwoSlots) {
  private_key key = open_device();
  private_key other;
  ASSERT_EQ(face.open("pkcs11:token=stub-b;object=device", other, with_pin("1234")), HSMTLS_P11_OK);
  const open_view view(face, key);
  const open_view second(face, other);
  const client app(front);
  const CK_SESSION_HANDLE in_first = app.open(view.slot(app));
  const CK_SESSION_HANDLE in_second = app.open(second.slot(app));
  EXPECT_RV(CKR_OK, sign_right(app, in_first, key));
  EXPECT_RV(CKR_OK, sign_right(app, in_second, other));
  EXPECT_NE(expected(key, data), expected(other, data));
}

TEST_F(PrivateView, GoesOnInAForkedChildThatInitialisesAnew) {
  private_key key = open_device();
  open_view view(face, key);
  const client app(front);
  const CK_SLOT_ID slot = view.slot(app);
  const CK_SESSION_HANDLE session = app.open(slot);
  child forked([&] {
    return expectations([&] {
      EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, app.sign(session, 1, data));
      const client mine(front);
      const CK_SESSION_HANDLE own = mine.open(slot);
      EXPECT_RV(CKR_OK, sign_right(mine, own, key));
      trouble.run("drop-sessions");
      EXPECT_RV(CKR_OK, sign_right(mine, own, key));
      const auto before = trouble.count("C_Logout");
      view.close();
      key.release();
      EXPECT_EQ(before + 1, trouble.count("C_Logout"))
          << "the parent's sessions keep no login here";
    });
  });
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
  const ending end = forked.wait();
  EXPECT_TRUE(end.fine()) << end;
  EXPECT_RV(CKR_OK, sign_right(app, session, key));
}

TEST_F(PrivateView, RefusesWhatIsNoKey) {
  hsmtls_p11_error error{};
  hsmtls_p11_view* view = nullptr;
  EXPECT_EQ(HSMTLS_P11_BAD_ARGUMENT, face->view_open(nullptr, &view, &error));
  private_key key = open_device();
  EXPECT_EQ(HSMTLS_P11_BAD_ARGUMENT, face->view_open(key.get(), nullptr, &error));
  face->view_close(nullptr);
  face->view_leave();
}

// A key without a CKA_ID.
class PrivateViewWithoutAnId : public PrivateView {
 protected:
  // Takes the CKA_ID from what has `id`, behind everybody's back.
  static void take_ids(CK_BYTE id) {
    const vendors_back vendor;
    const CK_SESSION_HANDLE in = vendor.session(0);
    std::string pin = "1234";
    vendor->C_Login(in, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
    CK_ATTRIBUTE pattern[] = {{CKA_ID, &id, 1}};
    ASSERT_RV(CKR_OK, vendor->C_FindObjectsInit(in, pattern, 1));
    CK_OBJECT_HANDLE found[8];
    CK_ULONG count = 0;
    ASSERT_RV(CKR_OK, vendor->C_FindObjects(in, found, 8, &count));
    ASSERT_RV(CKR_OK, vendor->C_FindObjectsFinal(in));
    CK_ATTRIBUTE none[] = {{CKA_ID, nullptr, 0}};
    for (CK_ULONG i = 0; i < count; ++i)
      ASSERT_RV(CKR_OK, vendor->C_SetAttributeValue(in, found[i], none, 1));
    vendor->C_Logout(in);
    vendor->C_CloseSession(in);
  }
};

TEST_F(PrivateViewWithoutAnId, ShowsWhatHasItsLabelAndNoIdEither) {
  const client app(front);  // keeps the module initialised
  for (const CK_BYTE id : {1, 2}) take_ids(id);
  private_key key;
  ASSERT_EQ(face.open(device, key, with_pin("1234")), HSMTLS_P11_OK);
  ASSERT_EQ(0U, key.info().id_len);
  const open_view view(face, key);
  const CK_SESSION_HANDLE session = app.open(view.slot(app));
  EXPECT_THAT(shown(app, session),
              ElementsAre(std::pair(CK_OBJECT_CLASS{CKO_PRIVATE_KEY}, std::string("device")),
                          std::pair(CK_OBJECT_CLASS{CKO_PUBLIC_KEY}, std::string("device")),
                          std::pair(CK_OBJECT_CLASS{CKO_CERTIFICATE}, std::string("device"))));
  const auto found = app.find(session, CKO_PRIVATE_KEY, {});
  ASSERT_EQ(1U, found.size());
  EXPECT_RV(CKR_OK, app.sign(session, found[0], data));
}

// No module is configured: the key's was added.
class PrivateViewOfAnAddedModule : public testing::Test {
 protected:
  PrivateViewOfAnAddedModule()
      : vendor(chaos::in_front_of(HSMTLS_TEST_STUB_VENDOR)),
        front(load_front("", std::chrono::seconds(10))),
        face(front) {}

  const std::string vendor;
  module_under_test front;
  private_face face;
};

TEST_F(PrivateViewOfAnAddedModule, IsAllThatAnApplicationSees) {
  login_options how = with_pin("1234");
  how.module = vendor;
  private_key key;
  ASSERT_EQ(face.open(device, key, how), HSMTLS_P11_OK);
  captured_stderr said;
  {
    const open_view view(face, key);
    const client app(front);
    EXPECT_TRUE(app.slots().empty());
    const CK_SESSION_HANDLE session = app.open(view.slot(app));
    EXPECT_RV(CKR_OK, app.sign(session, app.private_key(session, {1}), bytes(32, 1)));
  }
  EXPECT_EQ("", said.stop());
  captured_stderr afterwards;
  EXPECT_RV(CKR_GENERAL_ERROR, front->C_Initialize(nullptr)) << "without a view";
  afterwards.stop();
}

}  // namespace
}  // namespace hsmtls::test
