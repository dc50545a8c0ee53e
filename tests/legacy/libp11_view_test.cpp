// The real libp11 inside of views, as any program may use it.
#include <libp11.h>

#include <gmock/gmock.h>

#include <atomic>

#include "core/legacy/libp11.hpp"
#include "tests/legacy/fixture.hpp"
#include "tests/support/waiting.hpp"

namespace hsmtls::test {
namespace {

// What core/legacy assumes of libp11's struct.
static_assert(offsetof(PKCS11_SLOT, token) == offsetof(legacy::p11_slot, token));
static_assert(sizeof(PKCS11_SLOT) == sizeof(legacy::p11_slot));

// What libp11 keeps is no leak of ours.
#ifdef __SANITIZE_ADDRESS__
using left_behind = __lsan::ScopedDisabler;
#else
struct [[maybe_unused]] left_behind {};
#endif

// libp11's context over the module under test. Left behind like libp11 would have it: its slots
// must not go before their keys.
struct libp11_context {
  explicit libp11_context(const std::string& module) {
    const left_behind not_ours;
    context = PKCS11_CTX_new();
    EXPECT_EQ(0, PKCS11_CTX_load(context, module.c_str()));
  }
  [[nodiscard]] std::vector<std::string> labels() {
    PKCS11_SLOT* slots = nullptr;
    unsigned int count = 0;
    EXPECT_EQ(0, PKCS11_enumerate_slots(context, &slots, &count));
    std::vector<std::string> all;
    for (unsigned int i = 0; i < count; ++i)
      all.emplace_back(slots[i].token != nullptr ? slots[i].token->label : "");
    PKCS11_release_all_slots(context, slots, count);
    return all;
  }
  PKCS11_CTX* context = nullptr;
};

class Libp11InAView : public over_three_keys {
 protected:
  Libp11InAView() {
    hsmtls_p11_error error{};
    EXPECT_EQ(HSMTLS_P11_OK, face->view_open(ec.get(), &of_ec, &error)) << error.message;
    EXPECT_EQ(HSMTLS_P11_OK, face->view_open(rsa.get(), &of_rsa, &error)) << error.message;
  }
  ~Libp11InAView() override {
    face->view_close(of_ec);
    face->view_close(of_rsa);
  }
  // The one key that libp11 finds in a view.
  evp_key key_in(hsmtls_p11_view* view, libp11_context& with, const std::string& label) const {
    const left_behind not_ours;
    PKCS11_SLOT* slots = nullptr;
    unsigned int count = 0;
    face->view_enter(view);
    EXPECT_EQ(0, PKCS11_enumerate_slots(with.context, &slots, &count));
    face->view_leave();
    EXPECT_EQ(1U, count);
    if (count != 1 || slots[0].token == nullptr) return nullptr;
    EXPECT_EQ(0, slots[0].token->loginRequired);
    PKCS11_KEY* keys = nullptr;
    unsigned int found = 0;
    EXPECT_EQ(0, PKCS11_enumerate_keys(slots[0].token, &keys, &found));
    EXPECT_EQ(1U, found);
    if (found != 1) return nullptr;
    EXPECT_EQ(label, keys[0].label);
    PKCS11_CERT* certificates = nullptr;
    EXPECT_EQ(0, PKCS11_enumerate_certs(slots[0].token, &certificates, &found));
    EXPECT_EQ(0U, found) << "none is in the token";
    return evp_key(PKCS11_get_private_key(&keys[0]));
  }

  hsmtls_p11_view* of_ec = nullptr;
  hsmtls_p11_view* of_rsa = nullptr;
};

TEST_F(Libp11InAView, FindsTheKeyAndSignsWithoutALoginInTwoContexts) {
  const auto logins = trouble.count("C_Login");
  std::atomic<int> found{0};
  const auto sign_in = [&](hsmtls_p11_view* view, const char* label) {
    libp11_context with(HSMTLS_TEST_FRONT);
    const evp_key key = key_in(view, with, label);
    EXPECT_EQ(logins, trouble.count("C_Login"));
    ++found;
    ASSERT_NE(nullptr, key);
    // libp11 does not repeat a search that a reset ended.
    ASSERT_TRUE(eventually([&] { return found == 2; }));
    for (int i = 0; i < 5; ++i) {
      const bytes signature = signature_by(key.get(), "message"_b);
      EXPECT_TRUE(verifies(public_half_of(key.get()).get(), "message"_b, signature));
      trouble.run("drop-sessions");
    }
  };
  std::thread first([&] { sign_in(of_ec, "device"); });
  std::thread second([&] { sign_in(of_rsa, "rsa"); });
  first.join();
  second.join();
  EXPECT_LT(logins, trouble.count("C_Login")) << "by the recoveries";
  EXPECT_EQ(0U, trouble.count("C_Login CKR_PIN_INCORRECT"));
}

TEST_F(Libp11InAView, SeesTheOrdinarySlotsOutside) {
  libp11_context with(HSMTLS_TEST_FRONT);
  const auto before = with.labels();
  EXPECT_THAT(before, testing::Contains("edge"));
  const evp_key key = key_in(of_ec, with, "device");
  EXPECT_EQ(before, with.labels());
  std::vector<std::string> inside;
  face->view_enter(of_rsa);
  std::thread([&] { inside = with.labels(); }).join();
  face->view_leave();
  EXPECT_EQ(before, inside) << "in another thread";
}

}  // namespace
}  // namespace hsmtls::test
